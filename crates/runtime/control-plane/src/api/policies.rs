//! `…/participants/{context}/policydefinitions`: terms under a name.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::IntoResponse,
    routing::{get, post},
};
use heddle_clock::Timestamp;
use heddle_ids::{ParticipantContextId, PolicyDefinitionId};
use heddle_odrl::{Policy, PolicyKind, Unbound};
use heddle_store::{Query, Transaction};
use heddle_web::{ApiError, ApiErrors, Management, Path, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    answer::{Outcome, Shown, conflict, created, done, not_found, ok, same_id, taken},
    changes::{Changed, tell},
    document::{Creation, Described, Document, OptionalDocument},
    guard::{Own, PoliciesRead, PoliciesWrite},
    present,
    query::{QuerySpec, Queryable, select},
};
use crate::{
    ControlPlane,
    model::{ContractDefinition, PolicyDefinition},
};

const TYPE: &str = "PolicyDefinition";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/policydefinitions", post(create))
        .route("/participants/{context}/policydefinitions/request", post(query))
        .route("/participants/{context}/policydefinitions/{id}", get(show).put(update).delete(remove))
        .route("/participants/{context}/policydefinitions/{id}/validate", post(validate))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyDocument {
    #[serde(rename = "@id", default)]
    id: Option<PolicyDefinitionId>,
    policy: Policy,
    #[serde(default)]
    private_properties: Map<String, Value>,
}

impl Described for PolicyDocument {
    const TYPES: &'static [&'static str] = &[TYPE];
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyBody<'a> {
    #[serde(rename = "@id")]
    id: &'a PolicyDefinitionId,
    created_at: Timestamp,
    policy: &'a Policy,
    #[serde(skip_serializing_if = "Map::is_empty")]
    private_properties: &'a Map<String, Value>,
}

fn shown(definition: &PolicyDefinition) -> Shown<PolicyBody<'_>> {
    let PolicyDefinition { id, policy, private_properties, created_at } = definition;
    Shown::new(TYPE, PolicyBody { id, created_at: *created_at, policy, private_properties })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    is_valid: bool,
    errors: Vec<String>,
}

impl Queryable for PolicyDefinition {
    const PATHS: &'static [&'static str] = &["id", "createdAt", "policy.", "privateProperties."];

    fn at(&self, path: &str) -> Option<Value> {
        match path {
            "id" => Some(self.id.as_str().into()),
            "createdAt" => Some(self.created_at.as_millis().into()),
            _ => match path.strip_prefix("privateProperties.") {
                Some(name) => self.private_properties.get(name).cloned(),
                None => member(serde_json::to_value(&self.policy).ok()?, path.strip_prefix("policy.")?),
            },
        }
    }
}

/// A member by a path with dots.
fn member(value: Value, path: &str) -> Option<Value> {
    path.split('.').try_fold(value, |value, name| value.get(name).cloned())
}

/// Everything that speaks against a policy as a definition; empty when nothing does.
fn faults(policy: &Policy, unbound: Vec<Unbound>) -> Vec<String> {
    let kind = (policy.kind != PolicyKind::Set).then(|| "the policy of a definition has the '@type' 'Set'".to_owned());
    let invalid = policy.validate().err().map(|invalid| invalid.to_string());
    let names = unbound.iter().map(ToString::to_string);
    kind.into_iter().chain(invalid).chain(names).collect()
}

async fn refusal(plane: &ControlPlane, policy: &Policy) -> Result<Option<ApiErrors>, Rejection> {
    let faults = faults(policy, plane.rules.functions().await?.unbound(policy));
    let errors: Vec<ApiError> =
        faults.into_iter().map(|message| Rejection::invalid("/policy", message).into()).collect();
    let status = http::StatusCode::BAD_REQUEST;
    Ok((!errors.is_empty()).then_some(ApiErrors { status, errors }))
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<PoliciesWrite>,
    Creation(document, idempotency): Creation<PolicyDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let key = own.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    present::participant(&mut transaction, &own.scope).await?;
    if let Some(refusal) = refusal(&plane, &document.policy).await? {
        return Ok(refusal.into_response());
    }
    let id = document.id.unwrap_or_else(|| {
        let (ms, random) = plane.environment.id_parts();
        PolicyDefinitionId::from_parts(ms, random)
    });
    let created_at = transaction.now();
    let PolicyDocument { policy, private_properties, .. } = document;
    let definition = PolicyDefinition { id, policy, private_properties, created_at };
    transaction.insert(&definition);
    tell(&mut transaction, &own.scope, Changed::Policy(definition.id.as_str()), "created");
    let reply = created(definition.id.as_str(), created_at);
    let done = idempotency.conclude((&plane.store, &own.scope), transaction, &key, reply).await;
    Ok(done.map_err(taken(TYPE, definition.id.as_str()))?)
}

async fn update(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<PoliciesWrite>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
    Document(document): Document<PolicyDocument>,
) -> Outcome {
    same_id(&id, document.id.as_ref().map(PolicyDefinitionId::as_str))?;
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = transaction.load::<PolicyDefinition>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    if let Some(refusal) = refusal(&plane, &document.policy).await? {
        return Ok(refusal.into_response());
    }
    let PolicyDocument { policy, private_properties, .. } = document;
    let next = PolicyDefinition { policy, private_properties, ..loaded.value().clone() };
    transaction.save(&loaded, &next);
    tell(&mut transaction, &own.scope, Changed::Policy(&id), "updated");
    transaction.commit().await?;
    Ok(done())
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<PoliciesRead>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    present::participant(&mut transaction, &own.scope).await?;
    let found = select::<PolicyDefinition>(&mut transaction, &spec).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<PoliciesRead>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let definition = plane.store.begin(&own.scope).load::<PolicyDefinition>(&id).await?;
    Ok(ok(&shown(definition.ok_or_else(|| not_found(TYPE, &id))?.value())))
}

async fn validate(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<PoliciesRead>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let definition = plane.store.begin(&own.scope).load::<PolicyDefinition>(&id).await?;
    let definition = definition.ok_or_else(|| not_found(TYPE, &id))?;
    let errors = faults(&definition.policy, plane.rules.functions().await?.unbound(&definition.policy));
    Ok(ok(&Shown::new("PolicyValidationResult", Validation { is_valid: errors.is_empty(), errors })))
}

async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<PoliciesWrite>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = transaction.load::<PolicyDefinition>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    if let Some(user) = user_of(&mut transaction, &loaded.id).await? {
        let why = format!("PolicyDefinition {id} cannot be deleted as it is used by the contract definition {user}");
        return Err(conflict(why).into());
    }
    transaction.delete(&loaded);
    tell(&mut transaction, &own.scope, Changed::Policy(&id), "deleted");
    transaction.commit().await?;
    Ok(done())
}

/// A contract definition that names the policy.
async fn user_of(
    transaction: &mut Transaction<'_>,
    id: &PolicyDefinitionId,
) -> Result<Option<String>, Rejection> {
    let definitions = transaction.list::<ContractDefinition>(&Query::default()).await?;
    let user = definitions.iter().find(|one| one.access_policy == *id || one.contract_policy == *id);
    Ok(user.map(|definition| definition.id.to_string()))
}
