//! `/orchestrations`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_ids::{OrchestrationId, TenantId};
use heddle_store::Loaded;
use heddle_tenancy::{Owner, Scope};
use heddle_web::{Fabric, IdempotentJson, Kind, Path, Rejection, Reply, reply};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Outcome,
    guard::{Reader, Writer},
};
use crate::{
    OrchestrationManifest, ProvisionManager,
    engine::{ActivityRun, Orchestration},
};

pub(super) fn routes() -> Router<Arc<ProvisionManager>> {
    Router::new().route("/orchestrations", post(order)).route("/orchestrations/{id}", get(show))
}

/// An orchestration, as it is shown: the reference's members, and where each activity is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrchestrationResponse<'a> {
    id: &'a str,
    correlation_id: &'a str,
    definition_id: &'a str,
    state: u8,
    state_timestamp: String,
    created_timestamp: String,
    orchestration_type: &'a str,
    steps: Vec<Step<'a>>,
    processing_data: &'a Map<String, Value>,
    output_data: &'a Map<String, Value>,
    completed: BTreeMap<&'a str, Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compensates: Option<&'a str>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Step<'a> {
    activities: Vec<&'a ActivityRun>,
}

impl<'a> From<&'a Orchestration> for OrchestrationResponse<'a> {
    fn from(orchestration: &'a Orchestration) -> Self {
        Self {
            id: orchestration.id.as_str(),
            correlation_id: &orchestration.correlation_id,
            definition_id: &orchestration.orchestration_type,
            state: orchestration.state.number(),
            state_timestamp: orchestration.state_since.to_string(),
            created_timestamp: orchestration.created_at.to_string(),
            orchestration_type: &orchestration.orchestration_type,
            steps: steps(orchestration),
            processing_data: &orchestration.processing_data,
            output_data: &orchestration.output_data,
            completed: orchestration.completed.iter().map(|id| (id.as_str(), Empty {})).collect(),
            error_detail: orchestration.error.as_deref(),
            compensates: orchestration.compensates.as_ref().map(OrchestrationId::as_str),
        }
    }
}

/// Activities by their distance from the beginning. For clients that know steps; nothing waits for a step.
fn steps(orchestration: &Orchestration) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut placed: Vec<&str> = Vec::new();
    while placed.len() < orchestration.activities.len() {
        let ready = orchestration.activities.iter().filter(|activity| {
            !placed.contains(&activity.id.as_str())
                && activity.depends_on.iter().all(|id| placed.contains(&id.as_str()))
        });
        let ready: Vec<&ActivityRun> = ready.collect();
        if ready.is_empty() {
            break;
        }
        placed.extend(ready.iter().map(|activity| activity.id.as_str()));
        steps.push(Step { activities: ready });
    }
    steps
}

/// Orders an orchestration: the tenant's that the payload names (`cfm.tenant.id`), else the installation's. The same id
/// again is the same orchestration.
async fn order(
    State(manager): State<Arc<ProvisionManager>>,
    writer: Writer,
    IdempotentJson(manifest, idempotency, ..): IdempotentJson<OrchestrationManifest, Fabric>,
) -> Outcome {
    let id = OrchestrationId::parse(manifest.id.clone());
    let id = id.map_err(|error| Rejection::invalid("/id", error.to_string()))?;
    if manifest.correlation_id.is_empty() {
        return Err(Rejection::invalid("/correlationId", "it must not be empty").into());
    }
    let tenant = tenant_of(&manifest)?.map(|tenant| writer.tenant(&manager, &tenant)).transpose()?;
    let scope: &dyn Scope = tenant.as_ref().map_or(&writer.scope, |tenant| tenant);
    let mut transaction = manager.store.begin(scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &writer.principal.key()).await? {
        return Ok(earlier);
    }
    let definition = manager.definition_for(&writer.scope, &manifest).await?;
    let definition = definition.ok_or_else(|| {
        let what = format!("Bad request: orchestration type '{}' not found", manifest.orchestration_type);
        Rejection::invalid("/orchestrationType", what)
    })?;
    let orchestration = manager.start(&mut transaction, &definition, &manifest, id).await?;
    let reply = Reply::json(StatusCode::ACCEPTED, &OrchestrationResponse::from(&orchestration));
    Ok(idempotency.conclude((&manager.store, scope), transaction, &writer.principal.key(), reply).await?)
}

fn tenant_of(manifest: &OrchestrationManifest) -> Result<Option<TenantId>, Rejection> {
    let Some(tenant) = manifest.payload.get("cfm.tenant.id").filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let tenant = tenant.as_str().and_then(|text| TenantId::parse(text).ok());
    tenant
        .map(Some)
        .ok_or_else(|| Rejection::invalid("/payload/cfm.tenant.id", "expected the id of a tenant"))
}

async fn show(
    State(manager): State<Arc<ProvisionManager>>,
    reader: Reader,
    Path(id, ..): Path<String, Fabric>,
) -> Outcome {
    let missing = || Rejection::new(Kind::NotFound, "Not found");
    let row = manager.store.lookup(Orchestration::DIRECTORY, &id).await?.ok_or_else(missing)?;
    let loaded: Option<Loaded<Orchestration>> = match row.owner {
        Owner::Installation => manager.store.begin(&reader.scope).load(&id).await?,
        Owner::Participant(_) => None,
        Owner::Tenant(tenant) => match reader.tenant(&manager, &tenant) {
            Some(tenant) => manager.store.begin(&tenant).load(&id).await?,
            None => None,
        },
    };
    let orchestration = loaded.ok_or_else(missing)?;
    Ok(reply(StatusCode::OK, &OrchestrationResponse::from(orchestration.value())))
}
