//! Who speaks on the DCP surfaces: the addressed participant context, and the sender of a self-issued token.

use std::sync::Arc;

use heddle_clock::Timestamp;
use heddle_dcp::{
    Refusal, Rules,
    token::{ReplayKey, SelfIssuedToken, self_issued},
};
use heddle_did::{Did, DidDocument, Relationship};
use heddle_ids::{InvalidId, ParticipantContextId, ParticipantId};
use heddle_jose::JwkSet;
use heddle_outbound::{DidResolver, ResolveError, RetryClass};
use heddle_store::{Store, StoreError, Transaction};
use heddle_tenancy::Recipient;

use crate::participant::{DID_DOCUMENT, HOLDER, PublishedHolder};

/// The participant context that a request addressed.
#[derive(Debug, Clone)]
pub(crate) struct Addressed {
    pub(crate) recipient: Recipient,
    pub(crate) did: Did,
}

/// Looks the participant context of a path up; one that is not active counts as absent.
pub(crate) async fn addressed(
    store: &Store,
    context: &ParticipantContextId,
) -> Result<Option<Addressed>, StoreError> {
    let Some(row) = store.lookup(HOLDER, context.as_str()).await? else { return Ok(None) };
    let holder: PublishedHolder = row.value()?;
    let Ok(identity) = participant_id(&holder.did) else { return Ok(None) };
    let recipient = Recipient::new(context.clone(), identity);
    Ok(holder.active.then_some(Addressed { recipient, did: holder.did }))
}

/// A DID as participant id.
pub(crate) fn participant_id(did: &Did) -> Result<ParticipantId, InvalidId> {
    ParticipantId::parse(did.as_str())
}

/// Why the sender of a token is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unproven {
    /// The token does not hold.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The sender's DID document cannot be had.
    #[error(transparent)]
    Document(#[from] ResolveError),
}

impl Unproven {
    /// Whether the same token may be accepted a moment later.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Self::Document(error) if matches!(error.class(), RetryClass::Retry { .. }))
    }
}

/// A sender that has proved itself, with the document that it was proved by.
pub(crate) struct Sender {
    pub(crate) token: SelfIssuedToken,
    pub(crate) document: Arc<DidDocument>,
}

/// Verifies a self-issued token for `audience`. A key that the known document does not explain makes it be
/// fetched again, once. That the token is used for the first time is for the caller to record ([`once`]).
pub(crate) async fn sender(
    resolver: &DidResolver,
    bearer: &str,
    audience: &Did,
    (now, rules): (Timestamp, &Rules),
) -> Result<Sender, Unproven> {
    let candidate = self_issued::read(bearer, audience, now, rules)?;
    let issuer = candidate.issuer().clone();
    let document = resolver.resolve(&issuer).await?;
    match candidate.verify(&document) {
        Ok(token) => Ok(Sender { token, document }),
        Err(refusal) if refusal.stale_documents().is_empty() => Err(refusal.into()),
        Err(_) => {
            let document = resolver.refresh(&issuer).await?;
            let token = self_issued::verify(bearer, &document, audience, now, rules)?;
            Ok(Sender { token, document })
        }
    }
}

/// Records in the caller's commit that a token was used; used before, the commit fails with `Duplicate` of kind
/// `nonce`.
pub(crate) fn once(transaction: &mut Transaction<'_>, key: &ReplayKey) {
    transaction.once(format!("dcp {} {}", key.issuer, key.jti), key.until);
}

/// The keys that a participant signs its tokens with, from its own published document.
pub(crate) async fn token_keys(store: &Store, did: &Did) -> Result<JwkSet, StoreError> {
    let Some(row) = store.lookup(DID_DOCUMENT, did.as_str()).await? else { return Ok(JwkSet::default()) };
    let document: DidDocument = row.value()?;
    let listed = document.listed(Relationship::CapabilityInvocation);
    let methods = document.verification_method.iter().filter(|method| listed.contains(&method.id));
    let keys = methods.filter_map(|method| Some(method.jwk().ok()?.with_kid(method.id.as_str()))).collect();
    Ok(JwkSet { keys })
}
