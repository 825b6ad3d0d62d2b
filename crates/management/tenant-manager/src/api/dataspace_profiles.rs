//! `/dataspace-profiles`.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::IntoResponse,
    routing::{get, post},
};
use heddle_ids::DataspaceProfileId;
use heddle_store::Query;
use heddle_web::{Fabric, IdempotentJson, Path, Rejection, Reply, reply};
use http::StatusCode;
use serde::Deserialize;

use super::{
    Outcome, fresh,
    guard::{Reader, Writer},
    missing, versioned,
};
use crate::{
    TenantManager,
    model::{Cell, DataspaceDeployment, DataspaceProfile, DataspaceSpec, DeploymentState, Properties},
};

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new()
        .route("/dataspace-profiles", get(list).post(create))
        .route("/dataspace-profiles/{id}", get(show).delete(remove))
        .route("/dataspace-profiles/{id}/deployments", post(deploy))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewDataspaceProfile {
    dataspace_spec: DataspaceSpec,
    #[serde(default)]
    artifacts: Vec<String>,
    #[serde(default)]
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewDeployment {
    /// When given, the id of the path.
    #[serde(default)]
    profile_id: Option<String>,
    /// Any active cell when absent.
    #[serde(default)]
    cell_id: Option<String>,
}

async fn list(State(manager): State<Arc<TenantManager>>, reader: Reader) -> Outcome {
    let all = manager.store.begin(&reader.scope).list::<DataspaceProfile>(&Query::default()).await?;
    Ok(reply(StatusCode::OK, &all.iter().map(versioned).collect::<Vec<_>>()))
}

async fn create(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewDataspaceProfile, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&writer.scope);
    let key = writer.principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    let (ms, random) = manager.environment.id_parts();
    let profile = DataspaceProfile {
        id: DataspaceProfileId::from_parts(ms, random),
        dataspace_spec: new.dataspace_spec,
        artifacts: new.artifacts,
        deployments: Vec::new(),
        properties: new.properties,
    };
    transaction.insert(&profile);
    let reply = Reply::json(StatusCode::CREATED, &fresh(&profile));
    Ok(idempotency.conclude((&manager.store, &writer.scope), transaction, &key, reply).await?)
}

async fn show(
    State(manager): State<Arc<TenantManager>>,
    reader: Reader,
    Path(id, ..): Path<String, Fabric>,
) -> Outcome {
    let profile = manager.store.begin(&reader.scope).load::<DataspaceProfile>(&id).await?;
    Ok(reply(StatusCode::OK, &versioned(&profile.ok_or_else(missing)?)))
}

async fn remove(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    Path(id, ..): Path<String, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&writer.scope);
    let profile = transaction.load::<DataspaceProfile>(&id).await?.ok_or_else(missing)?;
    transaction.delete(&profile);
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}

/// Deploys a dataspace profile to a cell. Twice to the same cell is one deployment.
async fn deploy(
    State(manager): State<Arc<TenantManager>>,
    writer: Writer,
    Path(id, ..): Path<String, Fabric>,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewDeployment, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&writer.scope);
    let key = writer.principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    if new.profile_id.as_ref().is_some_and(|named| *named != id) {
        return Err(Rejection::invalid("/profileId", "it must be the id of the path").into());
    }
    let loaded = transaction.load::<DataspaceProfile>(&id).await?.ok_or_else(missing)?;
    let cells = transaction.list::<Cell>(&Query::default()).await?;
    let wanted = new.cell_id.as_deref().filter(|id| !id.is_empty());
    let suits = |cell: &Cell| wanted.map_or(cell.state == DeploymentState::Active, |id| cell.id == id);
    let cell = cells.iter().map(|cell| cell.value()).find(|cell| suits(cell)).ok_or_else(missing)?;
    let mut profile = loaded.value().clone();
    if !profile.deployments.iter().any(|deployment| deployment.cell_id == cell.id) {
        profile.deployments.push(DataspaceDeployment {
            id: manager.environment.uuid(),
            version: 0,
            state: DeploymentState::Active,
            state_timestamp: transaction.now(),
            cell_id: cell.id.clone(),
            external_cell_id: cell.external_id.clone(),
            properties: Properties::new(),
        });
        transaction.save(&loaded, &profile);
    }
    let reply = Reply::empty(StatusCode::ACCEPTED);
    Ok(idempotency.conclude((&manager.store, &writer.scope), transaction, &key, reply).await?)
}
