//! `/cells`.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::IntoResponse,
    routing::{delete, get},
};
use heddle_clock::Timestamp;
use heddle_ids::CellId;
use heddle_store::{Query, StoreError};
use heddle_web::{Fabric, IdempotentJson, Kind, Path, Rejection, Reply, reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    Outcome,
    guard::{Installation, Read, Write},
    wire::{given, null_is_absent},
};
use crate::{
    TenantManager,
    error::Refusal,
    model::{Cell, DataspaceProfile, DeploymentState, Properties},
    profiles::oldest_first,
};

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new().route("/cells", get(list).post(create)).route("/cells/{id}", delete(remove))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewCell {
    #[serde(default, deserialize_with = "null_is_absent")]
    external_id: String,
    state: String,
    /// RFC 3339; now, when absent.
    #[serde(default)]
    state_timestamp: Option<String>,
    #[serde(default, deserialize_with = "null_is_absent")]
    properties: Properties,
}

/// A cell, as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CellBody<'a> {
    id: &'a CellId,
    version: u64,
    external_id: &'a str,
    state: DeploymentState,
    state_timestamp: String,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    properties: &'a Properties,
}

impl<'a> CellBody<'a> {
    fn of(cell: &'a Cell, version: u64) -> Self {
        Self {
            id: &cell.id,
            version,
            external_id: &cell.external_id,
            state: cell.state,
            state_timestamp: cell.state_since.to_string(),
            properties: &cell.properties,
        }
    }
}

impl NewCell {
    fn cell(self, id: CellId, now: Timestamp) -> Result<Cell, Rejection> {
        let state = DeploymentState::parse(&self.state).ok_or_else(|| {
            let states = DeploymentState::ALL.map(DeploymentState::name).join(", ");
            Rejection::invalid("/state", format!("Bad request: '{}' is none of {states}", self.state))
        })?;
        let since = given(self.state_timestamp).map(|text| Timestamp::parse_rfc3339(&text)).transpose();
        let state_since = since
            .map_err(|error| Rejection::invalid("/stateTimestamp", format!("Bad request: {error}")))?
            .unwrap_or(now);
        Ok(Cell { id, external_id: self.external_id, state, state_since, properties: self.properties })
    }
}

async fn list(State(manager): State<Arc<TenantManager>>, leave: Installation<Read>) -> Outcome {
    let all = manager.store.begin(&leave.scope).list::<Cell>(&oldest_first()).await?;
    let all: Vec<_> = all.iter().map(|cell| CellBody::of(cell.value(), cell.version())).collect();
    Ok(reply(StatusCode::OK, &all))
}

async fn create(
    State(manager): State<Arc<TenantManager>>,
    leave: Installation<Write>,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewCell, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&leave.scope);
    let key = leave.principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    let (ms, random) = manager.environment.id_parts();
    let cell = new.cell(CellId::from_parts(ms, random), transaction.now())?;
    transaction.insert(&cell);
    let reply = Reply::json(StatusCode::CREATED, &CellBody::of(&cell, 1));
    let stored = idempotency.conclude((&manager.store, &leave.scope), transaction, &key, reply).await;
    Ok(stored.map_err(|error| match error {
        StoreError::Duplicate { .. } => {
            let what = format!("Conflict: a cell with the externalId '{}' exists", cell.external_id);
            Rejection::new(Kind::Conflict, what)
        }
        other => other.into(),
    })?)
}

/// Deletes a cell that no dataspace profile is deployed to. Profiles of participants stay as they are.
async fn remove(
    State(manager): State<Arc<TenantManager>>,
    leave: Installation<Write>,
    Path(id, ..): Path<CellId, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&leave.scope);
    let cell = transaction.load::<Cell>(id.as_str()).await?.ok_or(Refusal::NotFound)?;
    let dataspaces = transaction.list::<DataspaceProfile>(&Query::default()).await?;
    if let Some(deployed) = dataspaces.iter().find(|profile| profile.is_on(&id)) {
        let what = format!("Conflict: the dataspace profile '{}' is deployed to the cell", deployed.id);
        return Err(Rejection::new(Kind::Conflict, what).into());
    }
    transaction.delete(&cell);
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}
