//! `GET /events`: what happens to tenants and orchestrations, as server-sent events that a client can follow without
//! a gap. Ours.

use std::{future::ready, sync::Arc};

use axum::{Router, extract::State, routing::get};
use futures::StreamExt;
use heddle_bus::{Audience, follow};
use heddle_store::{Event, EventCursor};
use heddle_web::{
    Fabric, Query,
    sse::{Resume, ServerEvent, respond, resume_from},
};
use http::HeaderMap;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Outcome, guard::Reader};
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
    reader: Reader,
    Query(resume, ..): Query<Resume, Fabric>,
    headers: HeaderMap,
) -> Outcome {
    let after = match resume_from(&headers, &resume)? {
        Some(place) => EventCursor(place),
        None => manager.store.newest_event().await?,
    };
    let events = follow(manager.store.clone(), Audience::Operator(reader.scope), after)
        .filter_map(|event| ready(event.ok().and_then(|event| shown(&event))));
    Ok(respond(after.0, events, manager.shutdown.clone()))
}

fn shown(event: &Event) -> Option<ServerEvent> {
    let id = event.cursor.to_string();
    let body = EventBody {
        id: id.clone(),
        r#type: &event.kind,
        at: event.at.to_string(),
        subject: &event.subject,
        trace_id: event.trace.as_ref().map(|trace| trace.trace_id()),
        payload: serde_json::from_str(&event.payload).ok()?,
    };
    Some(ServerEvent { id, kind: event.kind.clone(), data: serde_json::to_string(&body).ok()? })
}
