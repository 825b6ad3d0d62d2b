//! What the DCP endpoints have in common: the bearer, the addressed participant, the proof, and refusals.

use axum::{extract::FromRequestParts, http::request::Parts};
use heddle_dcp::{Refusal, wire::Malformed};
use heddle_ids::ParticipantContextId;
use heddle_store::StoreError;
use heddle_telemetry::logs::category;
use heddle_web::{Kind, Management, Refused, Rejection, bearer_token};

use crate::{
    CredentialService,
    peer::{self, Addressed, Sender},
};

/// The bearer token of a request: judged before the body is read.
pub(super) struct Bearer(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Refused<Management>;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused<Management>> {
        Ok(Self(bearer_token(&parts.headers)?.to_owned()))
    }
}

impl CredentialService {
    /// The participant context of the path; one that is not active is answered as if it did not exist.
    pub(super) async fn addressed(&self, context: &ParticipantContextId) -> Result<Addressed, Rejection> {
        let found = peer::addressed(&self.store, context).await?;
        found.ok_or_else(|| Rejection::new(Kind::NotFound, "There is no such participant here."))
    }

    /// The sender of a self-issued token for `addressed`.
    pub(super) async fn prove(&self, bearer: &str, addressed: &Addressed) -> Result<Sender, Rejection> {
        let now = self.environment.now();
        let proved = peer::sender(&self.resolver, bearer, &addressed.did, (now, &self.rules)).await;
        proved.map_err(|error| {
            tracing::info!(category = category::CLAIMS, component = "credential-service", action = "claims.refused",
                participant_context_id = %addressed.recipient.context(), reason = %error, "a self-issued token was refused");
            match error {
                peer::Unproven::Refused(refusal) => unauthorized(&refusal),
                error if error.is_temporary() => Rejection::unavailable(
                    "The DID document of the sender cannot be fetched at this moment.",
                    std::time::Duration::from_secs(2),
                ),
                peer::Unproven::Document(_) => {
                    Rejection::new(Kind::Unauthorized, "The DID document of the sender cannot be used.")
                }
            }
        })
    }
}

/// A token that does not hold: the peer is told one sentence, the log the rest.
pub(super) fn unauthorized(refusal: &Refusal) -> Rejection {
    Rejection::new(Kind::Unauthorized, refusal.peer_message())
}

/// A message that cannot be read.
pub(super) fn malformed(error: Malformed) -> Rejection {
    Rejection::invalid(error.pointer, format!("expected {}", error.expected))
}

/// What the store says, where a token that was used before is the sender's fault.
pub(super) fn stored(error: StoreError) -> Rejection {
    match error {
        StoreError::Duplicate { ref kind, .. } if kind == "nonce" => {
            Rejection::new(Kind::Unauthorized, "The token was used before.")
        }
        error => error.into(),
    }
}
