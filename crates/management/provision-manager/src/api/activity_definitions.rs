//! `/activity-definitions`.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::IntoResponse,
    routing::{delete, get},
};
use heddle_store::Query;
use heddle_web::{Fabric, IdempotentJson, Kind, Path, Rejection, Reply, reply};
use http::StatusCode;

use super::{
    Outcome,
    guard::{Reader, Writer},
};
use crate::{
    ProvisionManager,
    engine::{ActivityDefinition, OrchestrationDefinition},
};

pub(super) fn routes() -> Router<Arc<ProvisionManager>> {
    Router::new()
        .route("/activity-definitions", get(list).post(define))
        .route("/activity-definitions/{type}", delete(remove))
}

async fn list(State(manager): State<Arc<ProvisionManager>>, reader: Reader) -> Outcome {
    let all = manager.store.begin(&reader.scope).list::<ActivityDefinition>(&Query::default()).await?;
    let all: Vec<&ActivityDefinition> = all.iter().map(|definition| definition.value()).collect();
    Ok(reply(StatusCode::OK, &all))
}

/// Defines a type, or replaces its definition.
async fn define(
    State(manager): State<Arc<ProvisionManager>>,
    writer: Writer,
    IdempotentJson(definition, idempotency, ..): IdempotentJson<ActivityDefinition, Fabric>,
) -> Outcome {
    let name = &definition.activity_type;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || !name.bytes().all(legal) {
        return Err(
            Rejection::invalid("/type", "An activity type has letters, digits, '.', '_' and '-'.").into()
        );
    }
    let mut transaction = manager.store.begin(&writer.scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, &writer.principal.key()).await? {
        return Ok(earlier);
    }
    match transaction.load::<ActivityDefinition>(name).await? {
        Some(loaded) => transaction.save(&loaded, &definition),
        None => transaction.insert(&definition),
    }
    let reply = Reply::empty(StatusCode::CREATED);
    Ok(idempotency
        .conclude((&manager.store, &writer.scope), transaction, &writer.principal.key(), reply)
        .await?)
}

async fn remove(
    State(manager): State<Arc<ProvisionManager>>,
    writer: Writer,
    Path(name, ..): Path<String, Fabric>,
) -> Outcome {
    let mut transaction = manager.store.begin(&writer.scope);
    let loaded = transaction.load::<ActivityDefinition>(&name).await?;
    let loaded = loaded.ok_or_else(|| Rejection::new(Kind::NotFound, "Not found"))?;
    let definitions = transaction.list::<OrchestrationDefinition>(&Query::default()).await?;
    let users: Vec<&str> = definitions
        .iter()
        .filter(|definition| definition.activities.iter().any(|activity| activity.activity_type == name))
        .map(|definition| definition.orchestration_type.as_str())
        .collect();
    if !users.is_empty() {
        let what = format!(
            "Bad request: activity type '{name}' is referenced by an orchestration definition: {}",
            users.join(", ")
        );
        return Err(Rejection::new(Kind::Invalid, what).into());
    }
    transaction.delete(&loaded);
    transaction.commit().await?;
    Ok(StatusCode::OK.into_response())
}
