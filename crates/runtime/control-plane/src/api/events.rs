//! `…/participants/{context}/events`: what happens to a participant, as server-sent events that a client can follow
//! without a gap. Ours.

use std::{future::ready, sync::Arc};

use axum::{Router, extract::State, routing::get};
use futures::StreamExt;
use heddle_bus::{Audience, follow};
use heddle_store::EventCursor;
use heddle_web::{
    Management, Query,
    sse::{self, Resume, resume_from},
};
use http::HeaderMap;

use super::{
    answer::Outcome,
    guard::{EventsRead, Own},
    present,
};
use crate::{ControlPlane, removal::REMOVED};

pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new().route("/participants/{context}/events", get(feed))
}

async fn feed(
    State(plane): State<Arc<ControlPlane>>,
    own: Own<EventsRead>,
    Query(resume, ..): Query<Resume, Management>,
    headers: HeaderMap,
) -> Outcome {
    let context = present::participant(&mut plane.store.begin(&own.scope), &own.scope).await?;
    let after = match resume_from(&headers, &resume)? {
        Some(place) => EventCursor(place.max(context.events_after)),
        None => plane.store.newest_event().await?,
    };
    let lasts = own.caller.expires_at().since(plane.environment.now());
    let events = follow(plane.store.clone(), Audience::Participant(own.scope), after);
    let events = events.take_while(|event| ready(event.as_ref().map_or(true, |event| event.kind != REMOVED)));
    Ok(sse::feed(after, events, (plane.shutdown.clone(), lasts)))
}
