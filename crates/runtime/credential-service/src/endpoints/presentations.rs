//! `POST …/presentations/query` (DCP 1.0 §5.4).

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use heddle_dcp::{
    Scope,
    token::access_token,
    wire::{self, Asked, PresentationQueryMessage, PresentationResponseMessage},
};
use heddle_ids::ParticipantContextId;
use heddle_telemetry::{logs::category, spans};
use heddle_web::{JsonBytes, Kind, Management, Path, Refused, Rejection, reply};
use tracing::Instrument;

use super::prove::{Bearer, malformed, stored, unauthorized};
use crate::{
    CredentialService, peer,
    signing::SigningError,
    wallet::presentation::{PresentationError, Presentations},
};

/// In this order: the bearer, the message, the participant, the self-issued token, the access token. What is
/// asked beyond the grant is left out of the answer.
pub(super) async fn query(
    State(service): State<Arc<CredentialService>>,
    Bearer(bearer): Bearer,
    Path(context, ..): Path<ParticipantContextId, Management>,
    JsonBytes(body, ..): JsonBytes<Management>,
) -> Result<Response, Refused<Management>> {
    let message: PresentationQueryMessage = wire::parse(&body).map_err(malformed)?;
    let requested = requested(&message)?;
    let addressed = service.addressed(&context).await?;
    let sender = service.prove(&bearer, &addressed).await?;
    let keys = peer::token_keys(&service.store, &addressed.did).await?;
    let access = access_token::verify(&sender.token, &keys, service.environment.now(), &service.rules);
    let access = access.map_err(|refusal| {
        let verifier = sender.token.participant().as_str();
        tracing::info!(category = category::CLAIMS, component = "credential-service", action = "claims.withheld",
            counter_party_id = verifier, reason = %refusal, "an access token was refused");
        unauthorized(&refusal)
    })?;
    let verifier = peer::participant_id(access.verifier()).map_err(|error| Rejection::internal(&error))?;
    let scopes = access.scopes().iter().map(Scope::to_string).collect();
    let grant = service.scopes.presentation_grant(&addressed.recipient, verifier, scopes);
    let presentations = Presentations {
        store: &service.store,
        environment: &service.environment,
        vault: service.vault.as_ref(),
        rules: &service.rules,
    };
    let used = (&sender.token.replay_key(), &access);
    let span = spans::part("dcp.present", context.as_str(), Some(grant.verifier().as_str()));
    let shown = presentations.answer(&grant, &requested, used).instrument(span).await.map_err(refused)?;
    Ok(reply(StatusCode::OK, &PresentationResponseMessage::new(shown)))
}

/// The scopes that a query names. One that cannot be read selects nothing: it is not granted either.
fn requested(message: &PresentationQueryMessage) -> Result<Vec<Scope>, Rejection> {
    match message.asked().map_err(malformed)? {
        Asked::Scopes(scopes) => Ok(scopes.iter().filter_map(|scope| Scope::parse(scope).ok()).collect()),
        Asked::Definition(_) => Err(Rejection::new(
            Kind::Unsupported,
            "Presentation definitions are not supported; ask by scope.",
        )),
    }
}

fn refused(error: PresentationError) -> Rejection {
    match error {
        PresentationError::Store(error) | PresentationError::Signing(SigningError::Store(error)) => {
            stored(error)
        }
        PresentationError::Signing(SigningError::Inactive) => {
            Rejection::new(Kind::NotFound, "There is no such participant here.")
        }
        error => Rejection::internal(&error),
    }
}
