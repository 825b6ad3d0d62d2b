//! `…/participants/{context}/dataplanes`: the data planes that work for a participant. A registration is the plain
//! message of Data Plane Signaling, not a JSON-LD document; the list is ours.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{delete, put},
};
use heddle_dps::wire::{self, AuthorizationEntry, DataPlaneRegistrationMessage};
use heddle_ids::{DataPlaneId, ParticipantContextId};
use heddle_store::{Loaded, Query};
use heddle_vault::Secret;
use heddle_web::{JsonBytes, Management, Path, Rejection};
use http::StatusCode;
use serde::Serialize;

use super::{
    answer::{Outcome, Shown, not_found, ok},
    config::unkept,
    guard::{DataPlanesRead, DataPlanesWrite, Own},
    present,
};
use crate::{ControlPlane, model::DataPlane};

const TYPE: &str = "DataPlaneInstance";
/// The only way to prove ourselves to a data plane.
const CLIENT_CREDENTIALS: &str = "oauth2_client_credentials";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/dataplanes", put(register).get(list))
        .route("/participants/{context}/dataplanes/{id}", delete(remove))
}

/// A data plane as it is shown: without its secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DataPlaneBody<'a> {
    #[serde(rename = "@id")]
    id: &'a DataPlaneId,
    url: &'a str,
    state: &'static str,
    allowed_transfer_types: &'a [String],
    labels: &'a [String],
}

fn shown(plane: &DataPlane) -> Shown<DataPlaneBody<'_>> {
    let body = DataPlaneBody {
        id: &plane.id,
        url: &plane.endpoint,
        state: "REGISTERED",
        allowed_transfer_types: &plane.transfer_types,
        labels: &plane.labels,
    };
    Shown::new(TYPE, body)
}

/// Where we get tokens for a data plane, and as whom.
#[derive(Debug, Default)]
struct Access {
    token_endpoint: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
}

fn access(entry: Option<&AuthorizationEntry>) -> Result<Access, Rejection> {
    let Some(entry) = entry else { return Ok(Access::default()) };
    if entry.kind() != CLIENT_CREDENTIALS {
        let message = format!("'{}' is not supported; it must be '{CLIENT_CREDENTIALS}'", entry.kind());
        return Err(Rejection::invalid("/authorization/type", message));
    }
    let required = |name: &str| {
        let missing = || Rejection::invalid(format!("/authorization/{name}"), "expected a text");
        entry.text(name).filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(missing)
    };
    Ok(Access {
        token_endpoint: Some(required("tokenEndpoint")?),
        client_id: Some(required("clientId")?),
        client_secret: entry.text("clientSecret").map(|text| Secret::from_text(text.to_owned())),
    })
}

/// Registers a data plane, or registers it anew. A secret that is left out stays as it was.
async fn register(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DataPlanesWrite>,
    JsonBytes(body, ..): JsonBytes<Management>,
) -> Outcome {
    let message: DataPlaneRegistrationMessage = wire::parse(&body).map_err(|malformed| {
        Rejection::invalid(malformed.pointer, format!("expected {}", malformed.expected))
    })?;
    let access = access(message.authorization.as_ref())?;
    let mut transaction = plane.store.begin(&own.scope);
    present::lasting(&mut transaction, &own.scope).await?;
    let loaded = transaction.load::<DataPlane>(message.dataplane_id.as_str()).await?;
    let next = DataPlane {
        id: message.dataplane_id,
        endpoint: message.endpoint,
        transfer_types: message.profiles,
        labels: message.labels,
        token_endpoint: access.token_endpoint,
        client_id: access.client_id,
        created_at: loaded.as_ref().map_or(transaction.now(), |loaded| loaded.created_at),
    };
    if let Some(secret) = access.client_secret {
        let alias = DataPlane::secret_alias(&next.id);
        plane.vault.store_secret_in(&mut transaction, &alias, &secret).await.map_err(unkept)?;
    }
    match &loaded {
        Some(loaded) => transaction.save(loaded, &next),
        None => transaction.insert(&next),
    }
    transaction.commit().await?;
    plane.plane_tokens.forget(&own.scope, &next);
    Ok(accepted())
}

async fn list(State(plane): State<Arc<ControlPlane>>, own: Own<DataPlanesRead>) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    present::participant(&mut transaction, &own.scope).await?;
    let planes = transaction.list::<DataPlane>(&Query::default()).await?;
    Ok(ok(&planes.iter().map(Loaded::value).map(shown).collect::<Vec<_>>()))
}

async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DataPlanesWrite>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = transaction.load::<DataPlane>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    transaction.delete(&loaded);
    transaction.commit().await?;
    plane.plane_tokens.forget(&own.scope, &loaded);
    plane.vault.delete_secret(&own.scope, &DataPlane::secret_alias(&loaded.id)).await.map_err(unkept)?;
    Ok(accepted())
}

/// 200 without a body, as clients of this resource expect.
fn accepted() -> Response {
    StatusCode::OK.into_response()
}
