//! `POST …/credentials`: an issuer delivers (DCP 1.0 §6.5).

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use heddle_dcp::wire::{self, CredentialMessage};
use heddle_ids::ParticipantContextId;
use heddle_telemetry::logs::category;
use heddle_web::{JsonBytes, Kind, Management, Path, Refused, Rejection};

use super::prove::{Bearer, malformed, stored};
use crate::{
    CredentialService, peer,
    signing::SigningError,
    wallet::delivery::{Deliveries, DeliveryError},
};

/// In this order: the bearer, the message, the participant, the self-issued token, the request, the credentials.
pub(super) async fn store(
    State(service): State<Arc<CredentialService>>,
    Bearer(bearer): Bearer,
    Path(context, ..): Path<ParticipantContextId, Management>,
    JsonBytes(body, ..): JsonBytes<Management>,
) -> Result<StatusCode, Refused<Management>> {
    let message: CredentialMessage = wire::parse(&body).map_err(malformed)?;
    let addressed = service.addressed(&context).await?;
    let sender = service.prove(&bearer, &addressed).await?;
    let issuer = peer::participant_id(sender.token.participant()).map_err(|e| Rejection::internal(&e))?;
    let scope = service.scopes.delivery_peer(&addressed.recipient, issuer);
    let deliveries = Deliveries { store: &service.store, resolver: &service.resolver, rules: &service.rules };
    deliveries.accept(&scope, &sender, &message).await.map_err(|error| {
        tracing::info!(category = category::CLAIMS, component = "credential-service", action = "delivery.refused",
            counter_party_id = %scope.peer(), reason = %error, "a delivery was not taken");
        refused(error)
    })?;
    Ok(StatusCode::OK)
}

fn refused(error: DeliveryError) -> Rejection {
    let message = error.to_string();
    match error {
        DeliveryError::NoRequest(_) => Rejection::new(Kind::NotFound, "There is no such credential request."),
        DeliveryError::State(_) => Rejection::new(Kind::Invalid, message),
        DeliveryError::WriteGrant => Rejection::new(Kind::Unauthorized, message),
        DeliveryError::Refused(refusal) => {
            let kind =
                if refusal.check() == "credential-requested" { Kind::Forbidden } else { Kind::Invalid };
            Rejection::new(kind, refusal.peer_message())
        }
        DeliveryError::Full => Rejection::new(Kind::Unprocessable, message),
        DeliveryError::Signing(SigningError::Inactive) => {
            Rejection::new(Kind::NotFound, "There is no such participant here.")
        }
        DeliveryError::Store(error) | DeliveryError::Signing(SigningError::Store(error)) => stored(error),
        DeliveryError::Signing(error) => Rejection::internal(&error),
    }
}
