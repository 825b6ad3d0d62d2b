//! Taking a delivery: all of it in one commit, or nothing (DCP 1.0 §6.5).

use std::sync::Arc;

use heddle_clock::Timestamp;
use heddle_credentials::{Format, ParsedCredential};
use heddle_dcp::{
    Refusal, Rules,
    issuance::{Illegal, delivery},
    wire::{CredentialMessage, DeliveryStatus},
};
use heddle_did::{Did, DidDocument};
use heddle_ids::HolderPid;
use heddle_outbound::DidResolver;
use heddle_store::{Aggregate, Store, StoreError};
use heddle_telemetry::logs::category;
use heddle_tenancy::DeliveryPeer;

use super::{Credential, CredentialRequest, write_grant};
use crate::{
    participant::HolderContext,
    peer::{self, Sender, token_keys},
    signing::{SigningError, active_context},
};

mod keep;

use keep::{CREDENTIALS_MAX, answer, keep};

/// How often a delivery is tried when something changes meanwhile: the acknowledgement of the request may be under
/// way, or another delivery of the same credential.
const ATTEMPTS_MAX: u32 = 8;

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// This issuer was not asked under this id, as far as it can know.
    #[error("there is no credential request '{0}'")]
    NoRequest(HolderPid),
    /// The request does not wait for a delivery.
    #[error(transparent)]
    State(#[from] Illegal),
    /// The write grant is missing or wrong.
    #[error("the write grant of the request must come back in the claim 'token'")]
    WriteGrant,
    /// A credential is not acceptable.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The wallet is full.
    #[error("the wallet holds {CREDENTIALS_MAX} credentials already")]
    Full,
    /// The participant context does not take part any more.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The database; `Duplicate` of kind `nonce` when the sender's token was used before.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes deliveries.
pub(crate) struct Deliveries<'a> {
    pub(crate) store: &'a Store,
    pub(crate) resolver: &'a DidResolver,
    pub(crate) rules: &'a Rules,
}

impl Deliveries<'_> {
    /// Takes a delivery of a verified sender. A repeated one changes nothing.
    pub(crate) async fn accept(
        &self,
        scope: &DeliveryPeer,
        sender: &Sender,
        message: &CredentialMessage,
    ) -> Result<(), DeliveryError> {
        let mut document = sender.document.clone();
        let (mut refreshed, mut attempts) = (false, 0);
        loop {
            match self.attempt(scope, sender, &document, message).await {
                Err(DeliveryError::Refused(refusal))
                    if !refreshed && !refusal.stale_documents().is_empty() =>
                {
                    refreshed = true;
                    let fresh = self.resolver.refresh(sender.token.participant()).await;
                    document = fresh.map_err(|_| DeliveryError::Refused(refusal))?;
                }
                Err(DeliveryError::Store(error)) if changed_meanwhile(&error) => {
                    attempts += 1;
                    if attempts == ATTEMPTS_MAX {
                        // A conflict would be final for the issuer.
                        let (kind, id) = ("credential-request".to_owned(), message.holder_pid.to_string());
                        return Err(DeliveryError::Store(StoreError::Stale { kind, id }));
                    }
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt(
        &self,
        scope: &DeliveryPeer,
        sender: &Sender,
        document: &Arc<DidDocument>,
        message: &CredentialMessage,
    ) -> Result<(), DeliveryError> {
        let mut transaction = self.store.begin(scope);
        let context = active_context(&mut transaction).await?;
        let issuer = sender.token.participant();
        let request = transaction.load::<CredentialRequest>(message.holder_pid.as_str()).await?;
        // The scope shows this issuer its own requests alone; the comparison does not depend on that.
        let request = request.filter(|request| request.issuer_did == *issuer);
        if request.is_none() && !unasked_is_fine(&context, issuer, message.status) {
            return Err(DeliveryError::NoRequest(message.holder_pid.clone()));
        }
        if let Some(request) = &request {
            self.check_grant(&context, sender, request, transaction.now()).await?;
        }
        let wanted = request.as_ref().map(|request| request.types_and_formats());
        let credentials = self.judge(sender, document, message, wanted.as_deref(), transaction.now())?;
        if let Some(request) = &request {
            answer(&mut transaction, scope.participant(), request, message)?;
        }
        keep(&mut transaction, scope.participant(), &credentials, &message.holder_pid).await?;
        transaction.check(&context);
        peer::once(&mut transaction, &sender.token.replay_key());
        Ok(transaction.commit().await?)
    }

    fn judge(
        &self,
        sender: &Sender,
        document: &DidDocument,
        message: &CredentialMessage,
        wanted: Option<&[(String, Format)]>,
        now: Timestamp,
    ) -> Result<Vec<ParsedCredential>, Refusal> {
        let expected = delivery::Expected { issuer: sender.token.participant(), requested: wanted };
        let accepted = delivery::accept(message, &sender.token, &expected, document, (now, self.rules))?;
        let checks = &accepted.checks;
        tracing::debug!(category = category::CLAIMS, component = "credential-service", action = "delivery.taken",
            counter_party_id = %sender.token.participant(), ?checks, "a delivery holds");
        Ok(accepted.credentials)
    }

    /// A grant that comes back must be the one that went out.
    async fn check_grant(
        &self,
        context: &HolderContext,
        sender: &Sender,
        request: &CredentialRequest,
        now: Timestamp,
    ) -> Result<(), DeliveryError> {
        let Some(grant) = sender.token.access_token() else {
            let demanded = context.settings.require_write_grant;
            return if demanded { Err(DeliveryError::WriteGrant) } else { Ok(()) };
        };
        let keys = token_keys(self.store, &context.did).await?;
        let parties = (&context.did, &request.issuer_did, &request.holder_pid);
        write_grant::verify(grant, &keys, parties, now).map_err(|reason| {
            tracing::info!(
                category = category::CLAIMS,
                component = "credential-service",
                action = "delivery.refused",
                reason,
                "write grant refused"
            );
            DeliveryError::WriteGrant
        })
    }
}

/// Whether somebody else has changed what a delivery depends on, or has stored the same credential at this moment.
fn changed_meanwhile(error: &StoreError) -> bool {
    match error {
        StoreError::Stale { .. } => true,
        StoreError::Duplicate { kind, .. } => kind == Credential::KIND,
        _ => false,
    }
}

/// Whether the participant takes credentials from this issuer without having asked.
fn unasked_is_fine(context: &HolderContext, issuer: &Did, status: DeliveryStatus) -> bool {
    status == DeliveryStatus::Issued && context.settings.accept_unsolicited_from.contains(issuer)
}
