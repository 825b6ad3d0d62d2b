//! `GET …/events`: what happens to a participant, as server-sent events.

use std::{future::ready, sync::Arc};

use axum::{extract::State, http::HeaderMap, response::Response};
use futures::StreamExt;
use heddle_auth::{Action, RequiredScope, Role};
use heddle_bus::Audience;
use heddle_ids::ParticipantContextId;
use heddle_store::EventCursor;
use heddle_web::{
    Management, Path, Query, Refused,
    sse::{self, Resume},
};

use super::guard::{Caller, REQUESTS_READ};
use crate::{CredentialService, participant::REMOVED};

/// The feed of everything that the participant's planes tell. A provisioner, and a
/// client that may see no more than credentials, are told of credentials alone.
pub(super) async fn follow(
    State(service): State<Arc<CredentialService>>,
    caller: Caller,
    Path(named, ..): Path<ParticipantContextId, Management>,
    headers: HeaderMap,
    Query(resume, ..): Query<Resume, Management>,
) -> Result<Response, Refused<Management>> {
    let scope = service.authorised(&caller, &named, &REQUESTS_READ).await?;
    let context = service.context(&mut service.store.begin(&scope), &scope).await?;
    let place = match sse::resume_from(&headers, &resume)? {
        Some(place) => EventCursor(place.max(context.events_after)),
        None => service.store.newest_event().await?,
    };
    let everything = RequiredScope::every("identity-api", Action::Read);
    let all = caller.0.role() != Some(Role::Provisioner) && caller.0.scopes().satisfies(&everything);
    let events = heddle_bus::follow(service.store.clone(), Audience::Participant(scope), place)
        .take_while(|event| ready(event.as_ref().map_or(true, |event| event.kind != REMOVED)))
        // What cannot be read is not hidden either: it ends the feed.
        .filter(move |event| {
            ready(all || event.as_ref().map_or(true, |event| event.kind.starts_with("credential.")))
        });
    let lasts = caller.0.expires_at().since(service.environment.now());
    Ok(sse::feed(place, events, (service.shutdown.clone(), lasts)))
}
