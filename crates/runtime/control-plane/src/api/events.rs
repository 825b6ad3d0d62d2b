//! `…/participants/{context}/events`: what happens to a participant, as server-sent events that a client can follow
//! without a gap. Ours.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use futures::StreamExt;
use heddle_bus::{Audience, follow};
use heddle_store::{Event, EventCursor};
use heddle_telemetry::TraceContext;
use heddle_web::{
    Management, Query,
    sse::{Resume, ServerEvent, respond, resume_from},
};
use http::HeaderMap;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    answer::Outcome,
    guard::{EventsRead, Own},
    present,
};
use crate::ControlPlane;

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new().route("/participants/{context}/events", get(feed))
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
    State(plane): State<Arc<ControlPlane>>,
    own: Own<EventsRead>,
    Query(resume, ..): Query<Resume, Management>,
    headers: HeaderMap,
) -> Outcome {
    present::participant(&mut plane.store.begin(&own.scope), &own.scope).await?;
    let after = match resume_from(&headers, &resume)? {
        Some(place) => EventCursor(place),
        None => plane.store.newest_event().await?,
    };
    let events = follow(plane.store.clone(), Audience::Participant(own.scope), after)
        .filter_map(|event| std::future::ready(event.ok().and_then(|event| shown(&event))));
    Ok(respond(after.0, events, plane.shutdown.clone()))
}

fn shown(event: &Event) -> Option<ServerEvent> {
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
