//! Data Plane Signaling, data plane endpoints, in the order of the specification's table.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use heddle_dps::{
    flow::Side,
    wire::{
        self, DataFlowBaseMessage, DataFlowPrepareMessage, DataFlowResumeMessage, DataFlowStartMessage,
        DataFlowStartedNotificationMessage, DataFlowStatusResponseMessage, DataFlowSuspendMessage,
        DataFlowTerminateMessage,
    },
};
use heddle_ids::{DataFlowId, MessageId, ParticipantContextId};
use heddle_web::{JsonBytes, Kind, Path, Plain, Refused, Rejection, Unread, reply};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    DataPlane,
    flow::{Answered, By, FlowRecord, Signal, SignalError, segment},
};

type Plane = State<Arc<DataPlane>>;
type Outcome = Result<Response, Refused<Plain>>;
type OfContext = Path<ParticipantContextId, Plain>;
type OfFlow = Path<(ParticipantContextId, DataFlowId), Plain>;
/// Read when it is known who sends it.
type Body = Unread<JsonBytes<Plain>>;

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
    body: Body,
) -> Outcome {
    let message = |body: &[u8]| parsed(body).map(|DataFlowPrepareMessage(message)| message);
    plane.opened((&headers, body), context, Side::Consumer, message).await
}

async fn start(State(plane): Plane, Path(context, ..): OfContext, headers: HeaderMap, body: Body) -> Outcome {
    let message = |body: &[u8]| parsed(body).map(|DataFlowStartMessage(message)| message);
    plane.opened((&headers, body), context, Side::Provider, message).await
}

async fn started(
    State(plane): Plane,
    Path((context, id), ..): OfFlow,
    headers: HeaderMap,
    body: Body,
) -> Outcome {
    let message = |body: &[u8]| {
        let message: DataFlowStartedNotificationMessage = parsed(body)?;
        Ok((Signal::Started(message.data_address), Some(message.message_id)))
    };
    plane.signalled(&headers, (context, id), Some(body), message).await
}

async fn suspend(
    State(plane): Plane,
    Path((context, id), ..): OfFlow,
    headers: HeaderMap,
    body: Body,
) -> Outcome {
    let message = |body: &[u8]| {
        let message: DataFlowSuspendMessage = parsed(body)?;
        Ok((Signal::Suspend(message.reason), Some(message.message_id)))
    };
    plane.signalled(&headers, (context, id), Some(body), message).await
}

async fn resume(
    State(plane): Plane,
    Path((context, id), ..): OfFlow,
    headers: HeaderMap,
    body: Body,
) -> Outcome {
    let message = |body: &[u8]| {
        let message: DataFlowResumeMessage = parsed(body)?;
        Ok((Signal::Resume(message.data_address), Some(message.message_id)))
    };
    plane.signalled(&headers, (context, id), Some(body), message).await
}

async fn terminate(
    State(plane): Plane,
    Path((context, id), ..): OfFlow,
    headers: HeaderMap,
    body: Body,
) -> Outcome {
    let message = |body: &[u8]| {
        let message: DataFlowTerminateMessage = parsed(body)?;
        Ok((Signal::Terminate(message.reason), Some(message.message_id)))
    };
    plane.signalled(&headers, (context, id), Some(body), message).await
}

/// Peers send an empty body, `{}` or anything; none of it says something.
async fn completed(State(plane): Plane, Path(of, ..): OfFlow, headers: HeaderMap) -> Outcome {
    plane.signalled(&headers, of, None, |_| Ok((Signal::Completed, None))).await
}

async fn status(State(plane): Plane, Path((context, id), ..): OfFlow, headers: HeaderMap) -> Outcome {
    let (scope, by) = plane.control_plane(&headers, context).await?;
    let record = plane.store.begin(&scope).load::<FlowRecord>(id.as_str()).await?;
    let record = record.filter(|record| record.control_plane == by);
    let record = record.ok_or_else(|| Rejection::from(SignalError::NotFound))?;
    let (data_flow_id, state) = (record.flow.id().clone(), record.flow.state());
    Ok(reply(StatusCode::OK, &DataFlowStatusResponseMessage { data_flow_id, state }))
}

impl DataPlane {
    async fn opened(
        &self,
        (headers, body): (&HeaderMap, Body),
        context: ParticipantContextId,
        side: Side,
        message: impl FnOnce(&[u8]) -> Result<DataFlowBaseMessage, Rejection>,
    ) -> Outcome {
        let (scope, control_plane) = self.control_plane(headers, context).await?;
        let JsonBytes(body, ..) = body.read().await?;
        let answered = self.open_flow(&scope, &control_plane, side, &message(&body)?).await;
        Ok(told(answered.map_err(Rejection::from)?))
    }

    /// A signal about a flow that exists. Its body is read when it is known who sends it.
    async fn signalled(
        &self,
        headers: &HeaderMap,
        (context, id): (ParticipantContextId, DataFlowId),
        body: Option<Body>,
        message: impl FnOnce(&[u8]) -> Result<(Signal, Option<MessageId>), Rejection>,
    ) -> Outcome {
        let (scope, control_plane) = self.control_plane(headers, context).await?;
        let body = match body {
            Some(body) => body.read().await?.0,
            None => bytes::Bytes::new(),
        };
        let (signal, message_id) = message(&body)?;
        let by = By::ControlPlane(&control_plane);
        let answered = self.signal_flow(&scope, by, &id, &signal, message_id.as_ref()).await;
        Ok(told(answered.map_err(Rejection::from)?))
    }
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
        && let Ok(location) = HeaderValue::from_str(&format!("/dataflows/{}/status", segment(id.as_str())))
    {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
