//! `/cells`.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::IntoResponse,
    routing::{delete, get},
};
use heddle_clock::Timestamp;
use heddle_store::{Query, StoreError};
use heddle_web::{Fabric, IdempotentJson, Kind, Path, Rejection, Reply, reply};
use http::StatusCode;
use serde::Deserialize;

use super::{
    Outcome, fresh,
    guard::{Reader, Writer},
    missing, versioned,
};
use crate::{
    TenantManager,
    model::{Cell, DataspaceProfile, DeploymentState, Properties},
};

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new().route("/cells", get(list).post(create)).route("/cells/{id}", delete(remove))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewCell {
    #[serde(default)]
    external_id: String,
    state: DeploymentState,
    /// When it came into its state, in RFC 3339; now, when absent.
    #[serde(default)]
    state_timestamp: Option<String>,
    #[serde(default)]
    properties: Properties,
}

async fn list(State(manager): State<Arc<TenantManager>>, reader: Reader) -> Outcome {
    let all = manager.store.begin(&reader.scope).list::<Cell>(&Query::default()).await?;
    Ok(reply(StatusCode::OK, &all.iter().map(versioned).collect::<Vec<_>>()))
}

async fn create(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewCell, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&writer.scope);
    let key = writer.principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    let since = new.state_timestamp.as_deref().map(Timestamp::parse_rfc3339).transpose();
    let since = since.map_err(|error| Rejection::invalid("/stateTimestamp", error.to_string()))?;
    let cell = Cell {
        id: manager.environment.uuid(),
        external_id: new.external_id,
        state: new.state,
        state_timestamp: since.unwrap_or_else(|| transaction.now()),
        properties: new.properties,
    };
    transaction.insert(&cell);
    let reply = Reply::json(StatusCode::CREATED, &fresh(&cell));
    let stored = idempotency.conclude((&manager.store, &writer.scope), transaction, &key, reply).await;
    Ok(stored.map_err(|error| match error {
        StoreError::Duplicate { .. } => {
            let what = format!("Conflict: a cell with externalId '{}' exists", cell.external_id);
            Rejection::new(Kind::Conflict, what)
        }
        other => other.into(),
    })?)
}

/// Deletes a cell that no dataspace profile is deployed to.
async fn remove(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    Path(id, ..): Path<String, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&writer.scope);
    let cell = transaction.load::<Cell>(&id).await?.ok_or_else(missing)?;
    let profiles = transaction.list::<DataspaceProfile>(&Query::default()).await?;
    if profiles.iter().any(|profile| profile.deployments.iter().any(|deployment| deployment.cell_id == id)) {
        let what = "Bad request: cannot delete a cell that dataspace profiles are deployed to";
        return Err(Rejection::new(Kind::Invalid, what).into());
    }
    transaction.delete(&cell);
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}
