//! `…/participants/{context}/contractdefinitions`: which assets are offered, to whom, on which terms.
//!
//! The policies that a definition names need not exist yet; until they do, it offers nothing.

mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_ids::{ContractDefinitionId, ParticipantContextId};
use heddle_web::{Management, Path, Rejection};

use super::{
    answer::{Outcome, created, done, not_found, ok, taken},
    changes::{Changed, tell},
    document::{Creation, Document, OptionalDocument},
    guard::{DefinitionsRead, DefinitionsWrite, Own},
    present,
    query::{QuerySpec, select},
};
use crate::{ControlPlane, model::ContractDefinition};
use wire::{DefinitionDocument, shown};

const TYPE: &str = "ContractDefinition";

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants/{context}/contractdefinitions", post(create).put(update))
        .route("/participants/{context}/contractdefinitions/request", post(query))
        .route("/participants/{context}/contractdefinitions/{id}", get(show).delete(remove))
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsWrite>,
    Creation(document, idempotency): Creation<DefinitionDocument>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let key = own.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    present::lasting(&mut transaction, &own.scope).await?;
    let id = document.id.clone().unwrap_or_else(|| {
        let (ms, random) = plane.environment.id_parts();
        ContractDefinitionId::from_parts(ms, random)
    });
    let now = transaction.now();
    let definition = document.into_definition(id, now)?;
    transaction.insert(&definition);
    tell(&mut transaction, &own.scope, Changed::Definition(definition.id.as_str()), "created");
    let reply = created(definition.id.as_str(), now);
    let done = idempotency.conclude((&plane.store, &own.scope), transaction, &key, reply).await;
    Ok(done.map_err(taken(TYPE, definition.id.as_str()))?)
}

async fn update(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsWrite>,
    Document(document): Document<DefinitionDocument>,
) -> Outcome {
    let id = document.id.clone();
    let id =
        id.ok_or_else(|| Rejection::invalid("/@id", "an update names its contract definition by '@id'"))?;
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = transaction.load::<ContractDefinition>(id.as_str()).await?;
    let loaded = loaded.ok_or_else(|| not_found(TYPE, id.as_str()))?;
    let next = document.into_definition(id, loaded.created_at)?;
    transaction.save(&loaded, &next);
    tell(&mut transaction, &own.scope, Changed::Definition(next.id.as_str()), "updated");
    transaction.commit().await?;
    Ok(done())
}

async fn query(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsRead>,
    OptionalDocument(spec): OptionalDocument<QuerySpec>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    present::participant(&mut transaction, &own.scope).await?;
    let found = select::<ContractDefinition>(&mut transaction, &spec).await?;
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

async fn show(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsRead>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let definition = plane.store.begin(&own.scope).load::<ContractDefinition>(&id).await?;
    Ok(ok(&shown(definition.ok_or_else(|| not_found(TYPE, &id))?.value())))
}

async fn remove(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<DefinitionsWrite>,
    Path((_, id), ..): Path<(ParticipantContextId, String), Management>,
) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = transaction.load::<ContractDefinition>(&id).await?.ok_or_else(|| not_found(TYPE, &id))?;
    transaction.delete(&loaded);
    tell(&mut transaction, &own.scope, Changed::Definition(&id), "deleted");
    transaction.commit().await?;
    Ok(done())
}
