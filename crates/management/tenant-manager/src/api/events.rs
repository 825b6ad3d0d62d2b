//! `GET /events`: what happens to tenants and orchestrations, as server-sent events that a client can follow without
//! a gap. Ours. A token that names a tenant sees the events of that tenant alone.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use heddle_bus::{Audience, follow};
use heddle_store::EventCursor;
use heddle_web::{
    Fabric, Query,
    sse::{self, Resume, resume_from},
};
use http::HeaderMap;

use super::{
    Outcome,
    guard::{Sight, SightScope},
};
use crate::TenantManager;

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new().route("/events", get(feed))
}

async fn feed(
    State(manager): State<Arc<TenantManager>>,
    sight: Sight,
    Query(resume, ..): Query<Resume, Fabric>,
    headers: HeaderMap,
) -> Outcome {
    let after = match resume_from(&headers, &resume)? {
        Some(place) => EventCursor(place),
        None => manager.store.newest_event().await?,
    };
    let lasts = sight.expires_at().since(manager.environment.now());
    let audience = match sight.scope {
        SightScope::Everything(scope) => Audience::Operator(scope),
        SightScope::Tenant(scope) => Audience::Tenant(scope),
    };
    let events = follow(manager.store.clone(), audience, after);
    Ok(sse::feed(after, events, (manager.shutdown.clone(), lasts)))
}
