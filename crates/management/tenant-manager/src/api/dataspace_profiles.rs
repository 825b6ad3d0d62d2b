//! `/dataspace-profiles`.

use std::sync::Arc;

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use heddle_ids::{CellId, DataspaceProfileId};
use heddle_web::{Fabric, IdempotentJson, Path, Rejection, Reply, reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{
    Outcome,
    guard::{Installation, Read, Write},
    wire::null_is_absent,
};
use crate::{
    TenantManager,
    error::Refusal,
    model::{
        CredentialSpec, DataspaceDeployment, DataspaceProfile, DataspaceSpec, DeploymentState, Properties,
        RUNTIME_PROFILE,
    },
    profiles::oldest_first,
};

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new()
        .route("/dataspace-profiles", get(list).post(create))
        .route("/dataspace-profiles/{id}", get(show).delete(remove))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewDataspaceProfile {
    dataspace_spec: NewDataspaceSpec,
    #[serde(default, deserialize_with = "null_is_absent")]
    artifacts: Vec<String>,
    #[serde(default, deserialize_with = "null_is_absent")]
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewDataspaceSpec {
    #[serde(default, deserialize_with = "null_is_absent")]
    protocol_stack: Vec<String>,
    #[serde(default, deserialize_with = "null_is_absent")]
    credential_specs: Vec<CredentialSpec>,
}

/// A dataspace profile, as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DataspaceProfileBody<'a> {
    id: &'a DataspaceProfileId,
    version: u64,
    dataspace_spec: &'a DataspaceSpec,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    artifacts: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deployments: Vec<DeploymentBody<'a>>,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    properties: &'a Properties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentBody<'a> {
    id: &'a str,
    version: u64,
    state: DeploymentState,
    state_timestamp: String,
    cell_id: &'a CellId,
    external_cell_id: &'a str,
}

impl<'a> From<&'a DataspaceDeployment> for DeploymentBody<'a> {
    fn from(deployment: &'a DataspaceDeployment) -> Self {
        Self {
            id: &deployment.id,
            // It does not change once it is made.
            version: 1,
            state: deployment.state,
            state_timestamp: deployment.state_since.to_string(),
            cell_id: &deployment.cell_id,
            external_cell_id: &deployment.external_cell_id,
        }
    }
}

impl<'a> DataspaceProfileBody<'a> {
    fn of(profile: &'a DataspaceProfile, version: u64) -> Self {
        Self {
            id: &profile.id,
            version,
            dataspace_spec: &profile.dataspace_spec,
            artifacts: &profile.artifacts,
            deployments: profile.deployments.iter().map(DeploymentBody::from).collect(),
            properties: &profile.properties,
        }
    }
}

impl NewDataspaceProfile {
    fn profile(self, id: DataspaceProfileId) -> Result<DataspaceProfile, Rejection> {
        let NewDataspaceSpec { protocol_stack, credential_specs } = self.dataspace_spec;
        for (index, spec) in credential_specs.iter().enumerate() {
            let members = [
                ("id", &spec.id),
                ("type", &spec.credential_type),
                ("issuer", &spec.issuer),
                ("format", &spec.format),
            ];
            if let Some((name, _)) = members.into_iter().find(|(_, value)| value.is_empty()) {
                let at = format!("/dataspaceSpec/credentialSpecs/{index}/{name}");
                return Err(Rejection::invalid(at, "Bad request: it must not be empty"));
            }
        }
        let name = self.properties.get(RUNTIME_PROFILE);
        if name.is_some_and(|name| name.as_str().is_none_or(str::is_empty)) {
            let at = format!("/properties/{RUNTIME_PROFILE}");
            let what = "Bad request: it is the name of a dataspace profile of the runtime, a text";
            return Err(Rejection::invalid(at, what));
        }
        Ok(DataspaceProfile {
            id,
            dataspace_spec: DataspaceSpec { protocol_stack, credential_specs },
            artifacts: self.artifacts,
            deployments: Vec::new(),
            properties: self.properties,
        })
    }
}

async fn list(State(manager): State<Arc<TenantManager>>, leave: Installation<Read>) -> Outcome {
    let all = manager.store.begin(&leave.scope).list::<DataspaceProfile>(&oldest_first()).await?;
    let all: Vec<_> = all.iter().map(|one| DataspaceProfileBody::of(one.value(), one.version())).collect();
    Ok(reply(StatusCode::OK, &all))
}

async fn create(
    State(manager): State<Arc<TenantManager>>,
    leave: Installation<Write>,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewDataspaceProfile, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&leave.scope);
    let key = leave.principal.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    let (ms, random) = manager.environment.id_parts();
    let profile = new.profile(DataspaceProfileId::from_parts(ms, random))?;
    transaction.insert(&profile);
    let reply = Reply::json(StatusCode::CREATED, &DataspaceProfileBody::of(&profile, 1));
    Ok(idempotency.conclude((&manager.store, &leave.scope), transaction, &key, reply).await?)
}

async fn show(
    State(manager): State<Arc<TenantManager>>,
    leave: Installation<Read>,
    Path(id, ..): Path<DataspaceProfileId, Fabric>,
) -> Outcome {
    let loaded = manager.store.begin(&leave.scope).load::<DataspaceProfile>(id.as_str()).await?;
    let loaded = loaded.ok_or(Refusal::NotFound)?;
    Ok(reply(StatusCode::OK, &DataspaceProfileBody::of(loaded.value(), loaded.version())))
}

/// Deletes a dataspace profile. Participants that are in the dataspace stay in it.
async fn remove(
    State(manager): State<Arc<TenantManager>>,
    leave: Installation<Write>,
    Path(id, ..): Path<DataspaceProfileId, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&leave.scope);
    let profile = transaction.load::<DataspaceProfile>(id.as_str()).await?.ok_or(Refusal::NotFound)?;
    transaction.delete(&profile);
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}
