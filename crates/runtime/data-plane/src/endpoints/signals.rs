//! Data Plane Signaling, data plane endpoints, in the order of the specification's table.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use heddle_dps::{
    flow::{Event, Side},
    wire::{
        self, DataFlowPrepareMessage, DataFlowResumeMessage, DataFlowStartMessage,
        DataFlowStartedNotificationMessage, DataFlowStatusResponseMessage, DataFlowSuspendMessage,
        DataFlowTerminateMessage,
    },
};
use heddle_ids::ParticipantContextId;
use heddle_web::{JsonBytes, Kind, Path, Plain, Refused, Rejection, reply};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    DataPlane,
    control_planes::RegisteredControlPlane,
    flow::{Answered, FlowRecord},
};

type Plane = State<Arc<DataPlane>>;
type Outcome = Result<Response, Refused<Plain>>;
type OfContext = Path<ParticipantContextId, Plain>;
type OfFlow = Path<(ParticipantContextId, String), Plain>;
type Body = JsonBytes<Plain>;

pub(super) fn routes() -> Router<Arc<DataPlane>> {
    Router::new()
        .route("/prepare", post(prepare))
        .route("/start", post(start))
        .route("/{id}/started", post(started))
        .route("/{id}/suspend", post(suspend))
        .route("/{id}/resume", post(resume))
        .route("/{id}/terminate", post(terminate))
        .route("/{id}/completed", post(completed))
        .route("/{id}/status", get(status))
}

fn parsed<M: wire::Message>(body: &[u8]) -> Result<M, Rejection> {
    wire::parse(body).map_err(|error| Rejection::new(Kind::Malformed, error.to_string()))
}

async fn prepare(
    State(plane): Plane,
    Path(context, ..): OfContext,
    headers: HeaderMap,
    JsonBytes(body, ..): Body,
) -> Outcome {
    let (scope, control_plane) = plane.registered(&headers, context).await?;
    let DataFlowPrepareMessage(message) = parsed(&body)?;
    let answered = plane.open_flow(&scope, &control_plane, Side::Consumer, &message).await;
    Ok(told(answered.map_err(Rejection::from)?))
}

async fn start(
    State(plane): Plane,
    Path(context, ..): OfContext,
    headers: HeaderMap,
    JsonBytes(body, ..): Body,
) -> Outcome {
    let (scope, control_plane) = plane.registered(&headers, context).await?;
    let DataFlowStartMessage(message) = parsed(&body)?;
    let answered = plane.open_flow(&scope, &control_plane, Side::Provider, &message).await;
    Ok(told(answered.map_err(Rejection::from)?))
}

async fn started(
    State(plane): Plane,
    Path((context, id), ..): OfFlow,
    headers: HeaderMap,
    JsonBytes(body, ..): Body,
) -> Outcome {
    let (scope, by) = plane.registered(&headers, context).await?;
    let message: DataFlowStartedNotificationMessage = parsed(&body)?;
    let event = |_| Event::Started { given: message.data_address.clone() };
    let answered = plane.signal_flow(&scope, Some(&by), &id, event, Some(&message.message_id)).await;
    Ok(told(answered.map_err(Rejection::from)?))
}

async fn suspend(
    State(plane): Plane,
    Path((context, id), ..): OfFlow,
    headers: HeaderMap,
    JsonBytes(body, ..): Body,
) -> Outcome {
    let (scope, by) = plane.registered(&headers, context).await?;
    let message: DataFlowSuspendMessage = parsed(&body)?;
    let event = |_| Event::Suspend { reason: message.reason.clone() };
    let answered = plane.signal_flow(&scope, Some(&by), &id, event, Some(&message.message_id)).await;
    Ok(told(answered.map_err(Rejection::from)?))
}

async fn resume(
    State(plane): Plane,
    Path((context, id), ..): OfFlow,
    headers: HeaderMap,
    JsonBytes(body, ..): Body,
) -> Outcome {
    let (scope, by) = plane.registered(&headers, context).await?;
    let message: DataFlowResumeMessage = parsed(&body)?;
    let event = |issued| Event::Resume { given: message.data_address.clone(), issued };
    let answered = plane.signal_flow(&scope, Some(&by), &id, event, Some(&message.message_id)).await;
    Ok(told(answered.map_err(Rejection::from)?))
}

async fn terminate(
    State(plane): Plane,
    Path((context, id), ..): OfFlow,
    headers: HeaderMap,
    JsonBytes(body, ..): Body,
) -> Outcome {
    let (scope, by) = plane.registered(&headers, context).await?;
    let message: DataFlowTerminateMessage = parsed(&body)?;
    let event = |_| Event::Terminate { reason: message.reason.clone() };
    let answered = plane.signal_flow(&scope, Some(&by), &id, event, Some(&message.message_id)).await;
    Ok(told(answered.map_err(Rejection::from)?))
}

/// Peers send an empty body, `{}` or anything; none of it says something.
async fn completed(State(plane): Plane, Path((context, id), ..): OfFlow, headers: HeaderMap) -> Outcome {
    let (scope, by) = plane.registered(&headers, context).await?;
    let answered = plane.signal_flow(&scope, Some(&by), &id, |_| Event::Completed, None).await;
    Ok(told(answered.map_err(Rejection::from)?))
}

async fn status(State(plane): Plane, Path((context, id), ..): OfFlow, headers: HeaderMap) -> Outcome {
    let (scope, by) = plane.registered(&headers, context).await?;
    let record = plane.store.begin(&scope).load::<FlowRecord>(&id).await?;
    let record = record.filter(|record| record.control_plane == by);
    let record = record.ok_or_else(|| Rejection::new(Kind::NotFound, "There is no such flow."))?;
    let (data_flow_id, state) = (record.flow.id().clone(), record.flow.state());
    Ok(reply(StatusCode::OK, &DataFlowStatusResponseMessage { data_flow_id, state }))
}

/// 200 with the state; 202 and where to ask for it while the plane is at work.
fn told(answered: Answered) -> Response {
    let Answered { id, answer } = answered;
    let status = if answer.is_under_way() { StatusCode::ACCEPTED } else { StatusCode::OK };
    let mut response = match answer.to_message(&id) {
        Some(message) => reply(status, &message),
        None => status.into_response(),
    };
    if answer.is_under_way()
        && let Ok(location) = HeaderValue::from_str(&format!("/dataflows/{id}/status"))
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

impl DataPlane {
    /// The control plane that signals, if the participant has registered it; anybody else is not authenticated.
    async fn registered(
        &self,
        headers: &HeaderMap,
        context: ParticipantContextId,
    ) -> Result<(heddle_tenancy::ParticipantScope, String), Rejection> {
        let (scope, id) = self.control_plane(headers, context).await?;
        let known = self.store.begin(&scope).load::<RegisteredControlPlane>(&id).await?;
        if known.is_none() {
            let what = format!("The control plane '{id}' is not registered for this participant.");
            return Err(Rejection::new(Kind::Unauthorized, what));
        }
        Ok((scope, id))
    }
}
