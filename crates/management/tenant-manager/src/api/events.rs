//! `GET /events`: what happens to tenants and orchestrations, as server-sent events that a client can follow without
//! a gap. Ours. A token that names a tenant sees the events of that tenant alone.

use std::{future::ready, sync::Arc};

use axum::{Router, extract::State, routing::get};
use futures::StreamExt;
use heddle_bus::{Audience, follow};
use heddle_store::{Event, EventCursor, StoreError};
use heddle_telemetry::TraceContext;
use heddle_web::{
    Fabric, Query,
    sse::{Resume, ServerEvent, respond, resume_from},
};
use http::HeaderMap;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Outcome,
    guard::{Sight, SightScope},
};
use crate::TenantManager;

pub(super) fn routes() -> Router<Arc<TenantManager>> {
    Router::new().route("/events", get(feed))
}

/// The `data` of an event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EventBody<'a> {
    id: String,
    r#type: &'a str,
    at: String,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    payload: &'a RawValue,
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
    let audience = match sight.scope {
        SightScope::Everything(scope) => Audience::Operator(scope),
        SightScope::Tenant(scope) => Audience::Tenant(scope),
    };
    let events = follow(manager.store.clone(), audience, after).filter_map(|event| ready(shown(&event)));
    Ok(respond(after.0, events, manager.shutdown.clone()))
}

/// `None` for what cannot be shown; if it cannot even be read, the feed ends behind it.
fn shown(event: &Result<Event, StoreError>) -> Option<ServerEvent> {
    let event = match event {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(component = "tenant-manager", action = "follow", %error, "a feed of events ends");
            return None;
        }
    };
    let id = event.cursor.to_string();
    let body = EventBody {
        id: id.clone(),
        r#type: &event.kind,
        at: event.at.to_string(),
        subject: &event.subject,
        trace_id: event.trace.as_ref().map(TraceContext::trace_id),
        payload: serde_json::from_str(&event.payload).ok()?,
    };
    let data = serde_json::to_string(&body).expect("texts and JSON serialise");
    Some(ServerEvent { id, kind: event.kind.clone(), data })
}
