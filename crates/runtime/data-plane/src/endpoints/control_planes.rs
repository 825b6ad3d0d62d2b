//! Registration of control planes (Data Plane Signaling, `PUT /controlplanes`).

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{delete, put},
};
use heddle_dps::wire::{self, AuthorizationEntry, ControlPlaneRegistrationMessage};
use heddle_ids::ParticipantContextId;
use heddle_vault::Secret;
use heddle_web::{JsonBytes, Kind, Path, Plain, Refused, Rejection};
use http::{HeaderMap, StatusCode};

use super::access::CONTROL_PLANES_WRITE;
use crate::{DataPlane, control_planes::RegisteredControlPlane};

type Outcome = Result<Response, Refused<Plain>>;

pub(super) fn routes() -> Router<Arc<DataPlane>> {
    Router::new().route("/", put(register)).route("/{id}", delete(withdraw))
}

async fn register(
    State(plane): State<Arc<DataPlane>>,
    Path(context, ..): Path<ParticipantContextId, Plain>,
    headers: HeaderMap,
    JsonBytes(body, ..): JsonBytes<Plain>,
) -> Outcome {
    let scope = plane.application(&headers, &context, &CONTROL_PLANES_WRITE).await?;
    let message: ControlPlaneRegistrationMessage =
        wire::parse(&body).map_err(|error| Rejection::new(Kind::Malformed, error.to_string()))?;
    let id = message.controlplane_id.to_string();
    let entry = message.authorization.as_ref();
    let text = |name| entry.and_then(|entry: &AuthorizationEntry| entry.text(name)).map(str::to_owned);
    let registered = RegisteredControlPlane {
        id: id.clone(),
        endpoint: message.endpoint.clone(),
        token_endpoint: text("tokenEndpoint"),
        client_id: text("clientId"),
    };
    let mut transaction = plane.store.begin(&scope);
    match transaction.load::<RegisteredControlPlane>(&id).await? {
        Some(loaded) => transaction.save(&loaded, &registered),
        None => transaction.insert(&registered),
    }
    if let Some(secret) = text("clientSecret") {
        let alias = RegisteredControlPlane::secret_alias(&id);
        let stored = plane.vault.store_secret_in(&mut transaction, &alias, &Secret::from_text(secret)).await;
        stored.map_err(|error| Rejection::internal(&error))?;
    }
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}

async fn withdraw(
    State(plane): State<Arc<DataPlane>>,
    Path((context, id), ..): Path<(ParticipantContextId, String), Plain>,
    headers: HeaderMap,
) -> Outcome {
    let scope = plane.application(&headers, &context, &CONTROL_PLANES_WRITE).await?;
    let mut transaction = plane.store.begin(&scope);
    let loaded = transaction.load::<RegisteredControlPlane>(&id).await?;
    let loaded = loaded.ok_or_else(|| Rejection::new(Kind::NotFound, "There is no such control plane."))?;
    transaction.delete(&loaded);
    transaction.commit().await?;
    let secret = plane.vault.delete_secret(&scope, &RegisteredControlPlane::secret_alias(&id)).await;
    secret.map_err(|error| Rejection::internal(&error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
