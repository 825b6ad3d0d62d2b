//! What a delivery that holds changes: the request, and the wallet.

use heddle_credentials::ParsedCredential;
use heddle_dcp::{
    issuance::{Illegal, holder::Event},
    wire::{CredentialMessage, DeliveryStatus},
};
use heddle_ids::{CredentialId, HolderPid, ParticipantContextId};
use heddle_store::{Loaded, NewEvent, Query, Transaction};
use serde::Serialize;

use super::DeliveryError;
use crate::wallet::{Credential, CredentialRequest, telling::told};

/// Most credentials of one wallet.
pub(super) const CREDENTIALS_MAX: u64 = 5_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StoredPayload<'a> {
    participant_context_id: &'a ParticipantContextId,
    credential_id: &'a CredentialId,
    holder_pid: &'a HolderPid,
    issuer_did: &'a str,
    types: &'a [String],
}

/// The request is answered. A repeat of the same answer leaves it as it is.
pub(super) fn answer(
    transaction: &mut Transaction<'_>,
    context: &ParticipantContextId,
    request: &Loaded<CredentialRequest>,
    message: &CredentialMessage,
) -> Result<(), Illegal> {
    let now = transaction.now();
    let mut next = match message.status {
        DeliveryStatus::Issued => request.after(Event::Delivered, now)?,
        DeliveryStatus::Rejected => {
            let reason = message.rejection_reason.as_deref().unwrap_or("the issuer gave no reason");
            request.after(Event::Refused, now)?.because(reason)
        }
    };
    next.issuer_pid = Some(message.issuer_pid.clone());
    if next == *request.value() {
        return Ok(());
    }
    transaction.save(request, &next);
    if next.state != request.state {
        next.tell(transaction, context);
    }
    Ok(())
}

/// The credentials are stored, and others are told of those that are new.
pub(super) async fn keep(
    transaction: &mut Transaction<'_>,
    context: &ParticipantContextId,
    delivered: &[ParsedCredential],
    holder_pid: &HolderPid,
) -> Result<(), DeliveryError> {
    let now = transaction.now();
    let mut credentials: Vec<Credential> = Vec::new();
    for parsed in delivered {
        let credential = Credential::new(parsed, holder_pid.clone(), now);
        // One delivery may hold a credential twice; the last one counts.
        credentials.retain(|other| other.id != credential.id);
        credentials.push(credential);
    }
    if credentials.is_empty() {
        return Ok(());
    }
    if transaction.count::<Credential>(&Query::default()).await? >= CREDENTIALS_MAX {
        return Err(DeliveryError::Full);
    }
    for credential in &credentials {
        match transaction.load::<Credential>(credential.id.as_str()).await? {
            Some(known) if known.raw == credential.raw => continue,
            Some(known) => transaction.save(&known, credential),
            None => transaction.insert(credential),
        }
        let payload = StoredPayload {
            participant_context_id: context,
            credential_id: &credential.id,
            holder_pid,
            issuer_did: &credential.issuer,
            types: &credential.types,
        };
        told(transaction, context, &credential.issuer, ("credential.stored", None));
        transaction.emit(NewEvent::new(
            "credential.stored",
            format!("credential/{}", credential.id),
            &payload,
        ));
    }
    Ok(())
}
