//! `POST /dataspace-profiles/{id}/deployments`.

use std::sync::Arc;

use axum::{Router, extract::State, routing::post};
use heddle_ids::DataspaceProfileId;
use heddle_store::{Loaded, Transaction};
use heddle_web::{Fabric, IdempotentJson, Kind, Path, Rejection, Reply};
use http::StatusCode;
use serde::Deserialize;

use super::{
    Outcome,
    guard::{Installation, Write},
    wire::given,
};
use crate::{
    TenantManager,
    error::Refusal,
    model::{Cell, DataspaceDeployment, DataspaceProfile, DeploymentState},
    profiles::oldest_first,
};

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new().route("/dataspace-profiles/{id}/deployments", post(deploy))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewDeployment {
    /// When given, the id of the path.
    #[serde(default)]
    profile_id: Option<String>,
    /// The oldest active cell, when absent.
    #[serde(default)]
    cell_id: Option<String>,
}

/// Deploys a dataspace profile to a cell. Twice to the same cell is one deployment.
async fn deploy(
    State(manager): State<Arc<TenantManager>>,
    leave: Installation<Write>,
    Path(id, ..): Path<DataspaceProfileId, Fabric>,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewDeployment, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&leave.scope);
    let key = leave.principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    if given(new.profile_id).is_some_and(|named| named != id.as_str()) {
        return Err(Rejection::invalid("/profileId", "Bad request: it is not the id of the path").into());
    }
    let loaded = transaction.load::<DataspaceProfile>(id.as_str()).await?.ok_or(Refusal::NotFound)?;
    let cell = cell(&mut transaction, given(new.cell_id)).await?;
    if !loaded.is_on(&cell.id) {
        let mut profile = loaded.value().clone();
        profile.deployments.push(DataspaceDeployment {
            id: manager.environment.uuid(),
            state: DeploymentState::Active,
            state_since: transaction.now(),
            cell_id: cell.id.clone(),
            external_cell_id: cell.external_id.clone(),
        });
        transaction.save(&loaded, &profile);
        // Whoever deletes the cell meanwhile wins.
        transaction.check(&cell);
    }
    let reply = Reply::empty(StatusCode::ACCEPTED);
    Ok(idempotency.conclude((&manager.store, &leave.scope), transaction, &key, reply).await?)
}

async fn cell(transaction: &mut Transaction<'_>, named: Option<String>) -> Result<Loaded<Cell>, Rejection> {
    if let Some(id) = named {
        let unknown = || Rejection::new(Kind::NotFound, format!("Not found: there is no cell '{id}'"));
        return transaction.load::<Cell>(&id).await?.ok_or_else(unknown);
    }
    let cells = transaction.list::<Cell>(&oldest_first()).await?;
    cells.into_iter().find(|cell| cell.is_active()).ok_or_else(|| {
        Rejection::invalid("/cellId", "Bad request: no active cell found; create one, or name a cell")
    })
}
