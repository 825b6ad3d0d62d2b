//! What the DCP endpoints have in common: the bearer, the addressed issuer, the proof, and refusals.

use axum::{extract::FromRequestParts, http::request::Parts};
use heddle_dcp::token::SelfIssuedToken;
use heddle_ids::{ParticipantContextId, ParticipantId};
use heddle_store::StoreError;
use heddle_telemetry::logs::category;
use heddle_tenancy::IssuancePeer;
use heddle_web::{Kind, Management, Refused, Rejection, bearer_token};

use crate::{
    IssuerService,
    issuer::Issuer,
    peer::{self, Unproven},
};

/// How long to wait for a DID document that cannot be had at this moment.
const DOCUMENT_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// The bearer token of a request: judged before the body is read.
pub(super) struct Bearer(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Refused<Management>;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused<Management>> {
        Ok(Self(bearer_token(&parts.headers)?.to_owned()))
    }
}

/// A holder that has proved itself to an issuer.
pub(super) struct Proven {
    pub(super) token: SelfIssuedToken,
    pub(super) scope: IssuancePeer,
}

impl IssuerService {
    /// The issuer of a path; one that is not active counts as absent.
    pub(super) async fn addressed(
        &self,
        context: &ParticipantContextId,
    ) -> Result<Option<Issuer>, StoreError> {
        Ok(Issuer::find(&self.parts.store, context).await?.filter(|issuer| issuer.active))
    }

    /// The sender of a self-issued token for the issuer of the path. An issuer that does not exist and a token that
    /// does not hold are answered alike.
    pub(super) async fn prove(
        &self,
        bearer: &str,
        context: &ParticipantContextId,
    ) -> Result<Proven, Rejection> {
        let issuer = self.addressed(context).await?.ok_or_else(unauthorized)?;
        let (resolver, now) = (&self.parts.resolver, self.parts.environment.now());
        let proved = peer::sender(resolver, bearer, &issuer.did, (now, &self.rules)).await;
        let token = proved.map_err(|error| {
            tracing::info!(category = category::CLAIMS, component = "issuer-service", action = "claims.refused",
                participant_context_id = %context, reason = %error, "a self-issued token was refused");
            refused(&error)
        })?;
        let holder = ParticipantId::parse(token.participant().as_str());
        let holder = holder.map_err(|error| Rejection::internal(&error))?;
        let scope = self.parts.scopes.issuance_peer(&issuer.recipient, holder);
        if self.is_being_removed(&scope, context).await? {
            return Err(unauthorized());
        }
        Ok(Proven { token, scope })
    }
}

fn refused(error: &Unproven) -> Rejection {
    match error {
        error if error.is_temporary() => {
            let message = "The DID document of the sender cannot be fetched at this moment.";
            Rejection::unavailable(message, DOCUMENT_WAIT)
        }
        Unproven::Refused(_) | Unproven::Document(_) => unauthorized(),
    }
}

/// Whoever is not known here, or is but not for this, is told one sentence.
pub(super) fn unauthorized() -> Rejection {
    Rejection::new(Kind::Unauthorized, "The self-issued token is not valid here.")
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
