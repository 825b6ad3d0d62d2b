//! `/participants`: the life cycle of participant contexts.

mod wire;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use heddle_auth::Principal;
use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_store::{AnswerKey, Loaded, Published};
use heddle_web::{Management, Query, Rejection};
use http::HeaderMap;
use serde::Deserialize;

use super::{
    answer::{Outcome, created, done, ok, same_id, taken},
    document::{Creation, Document},
    guard::{Installation, Own, ParticipantsAdmin},
    present,
};
use crate::{
    ControlPlane,
    model::{ParticipantContext, ParticipantState},
    removal,
};
use wire::{ParticipantDocument, shown};

const TYPE: &str = "ParticipantContext";
/// Most participant contexts that one page shows.
const PAGE_MAX: u32 = 1000;

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/participants", post(create).get(list))
        .route("/participants/{context}", get(show).put(update).delete(remove))
}

/// The id of a context whose client named none: the same for the same `Idempotency-Key`, so that a repeated
/// request finds the first answer in the place that the first one was stored in.
fn new_id(headers: &HeaderMap, caller: &Principal, environment: &Environment) -> ParticipantContextId {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let derived = key.map(|key| AnswerKey::new(&caller.key(), key));
    derived.and_then(|key| ParticipantContextId::parse(key.as_str()).ok()).unwrap_or_else(|| {
        let (ms, random) = environment.id_parts();
        ParticipantContextId::from_parts(ms, random)
    })
}

async fn create(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ParticipantsAdmin>,
    headers: HeaderMap,
    Creation(document, idempotency): Creation<ParticipantDocument>,
) -> Outcome {
    let id = document.id.unwrap_or_else(|| new_id(&headers, &leave.caller, &plane.environment));
    let scope = leave.participant(&plane, &id)?;
    let mut transaction = plane.store.begin(&scope);
    let key = leave.caller.key();
    if let Some(earlier) = idempotency.earlier(&mut transaction, &key).await? {
        return Ok(earlier);
    }
    removal::check_vacant(&mut transaction, &id).await?;
    // Nothing of an earlier context of this id is told from here on. Asking for it needs a connection of its own.
    drop(transaction);
    let newest = plane.store.newest_event().await?;
    let mut transaction = plane.store.begin(&scope);
    let now = transaction.now();
    let context = ParticipantContext {
        id,
        identity: document.identity,
        state: document.state.unwrap_or(ParticipantState::Created),
        tenant: document.tenant,
        properties: document.properties.unwrap_or_default(),
        profiles: Vec::new(),
        entries: BTreeMap::new(),
        private_entries: Vec::new(),
        created_at: now,
        events_after: newest.0,
    };
    transaction.insert(&context);
    transaction.publish(context.published());
    transaction.audit("participant.create", context.id.as_str());
    let reply = created(context.id.as_str(), now);
    let done = idempotency.conclude((&plane.store, &scope), transaction, &key, reply).await;
    Ok(done.map_err(taken(TYPE, context.id.as_str()))?)
}

/// A page of the list.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    offset: u32,
    #[serde(default)]
    limit: Option<u32>,
}

async fn list(
    State(plane): State<Arc<ControlPlane>>,
    leave: Installation<ParticipantsAdmin>,
    Query(page, ..): Query<Page, Management>,
) -> Outcome {
    let limit = page.limit.unwrap_or(50).min(PAGE_MAX);
    let mut found = Vec::new();
    for row in published(&plane, page.offset, limit).await? {
        let id =
            ParticipantContextId::parse(row.key.as_str()).map_err(|error| Rejection::internal(&error))?;
        let scope = leave.participant(&plane, &id)?;
        let context = plane.store.begin(&scope).load::<ParticipantContext>(id.as_str()).await?;
        found.extend(context.map(Loaded::into_value));
    }
    Ok(ok(&found.iter().map(shown).collect::<Vec<_>>()))
}

/// The directory is read by key; an offset is walked.
async fn published(plane: &ControlPlane, offset: u32, limit: u32) -> Result<Vec<Published>, Rejection> {
    let (mut after, mut left): (Option<String>, u32) = (None, offset);
    while left > 0 {
        let wanted = left.min(PAGE_MAX);
        let rows = plane.store.published(ParticipantContext::DIRECTORY, after.as_deref(), wanted).await?;
        let Some(last) = rows.last() else { return Ok(Vec::new()) };
        after = Some(last.key.clone());
        left -= u32::try_from(rows.len()).unwrap_or(wanted).min(left);
    }
    Ok(plane.store.published(ParticipantContext::DIRECTORY, after.as_deref(), limit).await?)
}

async fn show(State(plane): State<Arc<ControlPlane>>, own: Own<ParticipantsAdmin>) -> Outcome {
    let context = present::participant(&mut plane.store.begin(&own.scope), &own.scope).await?;
    Ok(ok(&shown(&context)))
}

async fn update(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<ParticipantsAdmin>,
    Document(document): Document<ParticipantDocument>,
) -> Outcome {
    same_id(own.scope.participant().as_str(), document.id.as_ref().map(ParticipantContextId::as_str))?;
    let mut transaction = plane.store.begin(&own.scope);
    let loaded = present::participant(&mut transaction, &own.scope).await?;
    let mut next = loaded.value().clone();
    next.identity = document.identity;
    next.state = document.state.unwrap_or(next.state);
    next.tenant = document.tenant.or(next.tenant);
    next.properties = document.properties.unwrap_or(next.properties);
    transaction.save(&loaded, &next);
    transaction.publish(next.published());
    transaction.commit().await?;
    Ok(done())
}

/// The context is gone at once. Repeated, it lets what is left of it go on, if that has stopped.
async fn remove(State(plane): State<Arc<ControlPlane>>, own: Own<ParticipantsAdmin>) -> Outcome {
    let mut transaction = plane.store.begin(&own.scope);
    let present = present::participant(&mut transaction, &own.scope).await;
    match &present {
        Ok(loaded) => removal::begin(&mut transaction, loaded),
        Err(_) => removal::go_on(&mut transaction, own.scope.participant()).await?,
    }
    transaction.commit().await?;
    present?;
    Ok(done())
}
