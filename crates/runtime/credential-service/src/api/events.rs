//! `GET …/events`: what happens to a participant, as server-sent events.

use std::{future::ready, sync::Arc};

use axum::{extract::State, http::HeaderMap, response::Response};
use futures::StreamExt;
use heddle_auth::Role;
use heddle_bus::Audience;
use heddle_ids::ParticipantContextId;
use heddle_store::{Event, EventCursor};
use heddle_web::{
    Management, Path, Query, Refused,
    sse::{self, Resume, ServerEvent},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::guard::{Caller, REQUESTS_READ};
use crate::CredentialService;

/// One event's data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'a str,
    at: String,
    subject: &'a str,
    trace_id: Option<String>,
    payload: &'a RawValue,
}

/// The feed of everything that the participant's planes tell. A provisioner is told of credentials alone: the
/// rest is the participant's business.
pub(super) async fn follow(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
    headers: HeaderMap,
    Query(resume, ..): Query<Resume, Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &REQUESTS_READ).await?;
    let place = match sse::resume_from(&headers, &resume)? {
        Some(place) => EventCursor(place),
        None => service.store.newest_event().await?,
    };
    let all = caller.0.role() != Some(Role::Provisioner);
    let events = heddle_bus::follow(service.store.clone(), Audience::Participant(scope), place)
        // An event that cannot be read ends the feed; the client comes back and is told again.
        .take_while(|event| ready(event.is_ok()))
        .filter_map(move |event| {
            ready(event.ok().filter(|event| all || event.kind.starts_with("credential.")))
        })
        .filter_map(|event| ready(shown(&event)));
    Ok(sse::respond(place.0, events, service.shutdown.clone()))
}

fn shown(event: &Event) -> Option<ServerEvent> {
    let id = event.cursor.to_string();
    let payload: &RawValue = serde_json::from_str(&event.payload).ok()?;
    let data = Data {
        id: id.clone(),
        kind: &event.kind,
        at: event.at.to_string(),
        subject: &event.subject,
        trace_id: event.trace.map(|trace| trace.trace_id()),
        payload,
    };
    Some(ServerEvent { id, kind: event.kind.clone(), data: serde_json::to_string(&data).ok()? })
}
