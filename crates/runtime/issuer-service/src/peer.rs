//! Who sends a request: the holder that a self-issued token proves (DCP 1.0 §4.3).

use heddle_clock::Timestamp;
use heddle_dcp::{
    Refusal, Rules,
    token::{ReplayKey, SelfIssuedToken, self_issued},
};
use heddle_did::Did;
use heddle_outbound::{DidResolver, ResolveError, RetryClass};
use heddle_store::Transaction;

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

/// Verifies a self-issued token for `audience`. A key that the known document does not explain makes it be
/// fetched again, once. That the token is used for the first time is for the caller to record ([`once`]).
pub(crate) async fn sender(
    resolver: &DidResolver,
    bearer: &str,
    audience: &Did,
    (now, rules): (Timestamp, &Rules),
) -> Result<SelfIssuedToken, Unproven> {
    let candidate = self_issued::read(bearer, audience, now, rules)?;
    let sender = candidate.issuer().clone();
    let document = resolver.resolve(&sender).await?;
    match candidate.verify(&document) {
        Ok(token) => Ok(token),
        Err(refusal) if refusal.stale_documents().is_empty() => Err(refusal.into()),
        Err(_) => {
            let document = resolver.refresh(&sender).await?;
            Ok(self_issued::verify(bearer, &document, audience, now, rules)?)
        }
    }
}

/// Records in the caller's commit that a token was used; used before, the commit fails with `Duplicate` of kind
/// `nonce`.
pub(crate) fn once(transaction: &mut Transaction<'_>, key: &ReplayKey) {
    transaction.once(format!("dcp {} {}", key.issuer, key.jti), key.until);
}
