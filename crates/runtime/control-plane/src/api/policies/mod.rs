//! `…/participants/{context}/policydefinitions`: terms under a name.

mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::IntoResponse,
    routing::{get, post},
};
use heddle_ids::{ParticipantContextId, PolicyDefinitionId};
use heddle_odrl::Policy;
use heddle_store::{Query, Transaction};
use heddle_web::{ApiError, ApiErrors, Management, Path, Rejection};

use super::{
    answer::{Outcome, Shown, conflict, created, done, not_found, ok, same_id, taken},
    changes::{Changed, tell},
    document::{Creation, Document, OptionalDocument},
    guard::{Own, PoliciesRead, PoliciesWrite},
    present,
    query::{QuerySpec, select},
};
use crate::{
    ControlPlane,
    model::{ContractDefinition, PolicyDefinition},
};
use wire::{PolicyDocument, Validation, faults, shown};

const TYPE: &str = "PolicyDefinition";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/policydefinitions", post(create))
        .route("/participants/{context}/policydefinitions/request", post(query))
        .route("/participants/{context}/policydefinitions/{id}", get(show).put(update).delete(remove))
        .route("/participants/{context}/policydefinitions/{id}/validate", post(validate))
}

async fn refusal(plane: &ControlPlane, policy: &Policy) -> Result<Option<ApiErrors>, Rejection> {
    let faults = faults(policy, &plane.rules.functions().await?.unbound(policy));
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
    present::lasting(&mut transaction, &own.scope).await?;
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
    let errors = faults(&definition.policy, &plane.rules.functions().await?.unbound(&definition.policy));
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
        let why = format!(
            "PolicyDefinition {id} cannot be deleted as it is used by the contract definition {user}"
        );
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
