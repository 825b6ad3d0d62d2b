//! `/orchestration-definitions`: one template has a definition per orchestration type.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use heddle_agent::DISPOSE;
use heddle_store::{Query, StoreError, Transaction};
use heddle_web::{Fabric, IdempotentJson, Kind, Path, Rejection, Reply, reply};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Outcome,
    guard::{Reader, Writer},
};
use crate::{
    ProvisionManager,
    engine::{ActivityDefinition, ActivityTemplate, Orchestration, OrchestrationDefinition},
    orchestrating::PublishedOrchestration,
};

/// Rows of the directory that are read at a time.
const PAGE_ROWS: u32 = 1_000;

pub(super) fn routes() -> Router<Arc<ProvisionManager>> {
    Router::new()
        .route("/orchestration-definitions", get(list).post(define))
        .route("/orchestration-definitions/{template}", get(show).delete(remove))
}

/// A template, as a client posts it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrchestrationTemplate {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    schema: Option<Value>,
    activities: BTreeMap<String, Vec<ActivityTemplate>>,
}

#[derive(Serialize)]
struct IdResponse<'a> {
    id: &'a str,
    description: &'static str,
}

/// A definition, as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionResponse<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a Value>,
    activities: BTreeMap<&'a str, &'a [ActivityTemplate]>,
    template_ref: &'a str,
}

impl<'a> From<&'a OrchestrationDefinition> for DefinitionResponse<'a> {
    fn from(definition: &'a OrchestrationDefinition) -> Self {
        let activities = (definition.orchestration_type.as_str(), definition.activities.as_slice());
        Self {
            description: definition.description.as_deref(),
            schema: definition.schema.as_ref(),
            activities: BTreeMap::from([activities]),
            template_ref: &definition.template_ref,
        }
    }
}

async fn list(State(manager): State<Arc<ProvisionManager>>, reader: Reader) -> Outcome {
    let all = manager.store.begin(&reader.scope).list::<OrchestrationDefinition>(&Query::default()).await?;
    let all: Vec<DefinitionResponse<'_>> = all.iter().map(|definition| definition.value().into()).collect();
    Ok(reply(StatusCode::OK, &all))
}

async fn show(
    State(manager): State<Arc<ProvisionManager>>,
    reader: Reader,
    Path(template, ..): Path<String, Fabric>,
) -> Outcome {
    let query = Query { correlation: Some(template), ..Query::default() };
    let all = manager.store.begin(&reader.scope).list::<OrchestrationDefinition>(&query).await?;
    let all: Vec<DefinitionResponse<'_>> = all.iter().map(|definition| definition.value().into()).collect();
    Ok(reply(StatusCode::OK, &all))
}

/// Defines all orchestrations of a template in one commit, or none. What the template had for the same types is replaced.
async fn define(
    State(manager): State<Arc<ProvisionManager>>,
    writer: Writer,
    IdempotentJson(template, idempotency, ..): IdempotentJson<OrchestrationTemplate, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&writer.scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &writer.principal.key()).await? {
        return Ok(earlier);
    }
    if template.activities.is_empty() {
        return Err(
            Rejection::invalid("/activities", "A template has at least one orchestration type.").into()
        );
    }
    let template_ref = template.id.clone().unwrap_or_else(|| manager.environment.uuid());
    if !template.activities.contains_key(DISPOSE) {
        tracing::warn!(
            component = "provision-manager",
            action = "define",
            template_ref,
            "it cannot undo anything"
        );
    }
    keep(&mut transaction, &template, &template_ref).await?;
    let body = IdResponse { id: &template_ref, description: "ID of the Orchestration Template" };
    let reply = Reply::json(StatusCode::CREATED, &body);
    Ok(idempotency
        .conclude((&manager.store, &writer.scope), transaction, &writer.principal.key(), reply)
        .await?)
}

async fn keep(
    transaction: &mut Transaction<'_>,
    template: &OrchestrationTemplate,
    template_ref: &str,
) -> Result<(), Rejection> {
    let known = transaction.list::<ActivityDefinition>(&Query::default()).await?;
    let known: BTreeMap<String, ActivityDefinition> = known
        .into_iter()
        .map(|definition| (definition.activity_type.clone(), definition.into_value()))
        .collect();
    for (orchestration_type, activities) in &template.activities {
        let definition = OrchestrationDefinition {
            key: OrchestrationDefinition::key_of(template_ref, orchestration_type),
            template_ref: template_ref.to_owned(),
            orchestration_type: orchestration_type.clone(),
            description: template.description.clone(),
            schema: template.schema.clone(),
            activities: activities.clone(),
            created_at: transaction.now(),
        };
        definition
            .check(&known)
            .map_err(|error| Rejection::new(Kind::Invalid, format!("Bad request: {error}")))?;
        match transaction.load::<OrchestrationDefinition>(&definition.key).await? {
            Some(loaded) => transaction.save(&loaded, &definition),
            None => transaction.insert(&definition),
        }
    }
    Ok(())
}

async fn remove(
    State(manager): State<Arc<ProvisionManager>>,
    writer: Writer,
    Path(template, ..): Path<String, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&writer.scope);
    let query = Query { correlation: Some(template.clone()), ..Query::default() };
    let definitions = transaction.list::<OrchestrationDefinition>(&query).await?;
    if definitions.is_empty() {
        return Err(Rejection::new(Kind::NotFound, "Not found").into());
    }
    if is_used(&manager, &template).await? {
        let what = "Bad request: cannot delete an orchestration definition that has orchestrations";
        return Err(Rejection::new(Kind::Invalid, what).into());
    }
    for definition in &definitions {
        transaction.delete(definition);
    }
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}

/// Whether there is an orchestration of this template, whoever's it is, and whether or not it has ended: one that fails
/// later is undone by the definitions of its template.
async fn is_used(manager: &ProvisionManager, template: &str) -> Result<bool, StoreError> {
    let mut after: Option<String> = None;
    loop {
        let page = manager.store.published(Orchestration::DIRECTORY, after.as_deref(), PAGE_ROWS).await?;
        for row in &page {
            if row.value::<PublishedOrchestration>()?.template_ref == template {
                return Ok(true);
            }
        }
        match page.last() {
            Some(last) => after = Some(last.key.clone()),
            None => return Ok(false),
        }
    }
}
