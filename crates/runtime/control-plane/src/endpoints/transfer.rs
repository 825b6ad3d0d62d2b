//! The transfer endpoints of provider and consumer (DSP 2025-1 §"Transfer Process HTTPS Binding"). The consumer
//! answers `GET` too, as peers ask for it.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use heddle_dsp::{
    process::{Inbound, PeerPid},
    transfer::Message,
    wire,
};
use heddle_ids::{MessageId, ParticipantContextId, ProfileName};
use heddle_web::{JsonBytes, Path, reply};
use http::{HeaderMap, StatusCode};

use super::{
    address, authorization,
    errors::{Pids, Refusal, TransferSurface},
};
use crate::{ControlPlane, transfer::InboundTransfer, transfer::TransferRecord};

type Plane = State<Arc<ControlPlane>>;
type Below<T> = Path<T, TransferSurface>;
type Body = JsonBytes<TransferSurface>;

/// Routes below `/api/dsp/{context}/{profile}/transfers`.
pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/request", post(request))
        .route("/{id}", get(show))
        .route("/{id}/start", post(message::<wire::TransferStartMessage>))
        .route("/{id}/completion", post(message::<wire::TransferCompletionMessage>))
        .route("/{id}/termination", post(message::<wire::TransferTerminationMessage>))
        .route("/{id}/suspension", post(message::<wire::TransferSuspensionMessage>))
}

async fn request(
    State(plane): Plane,
    Path((context, profile), ..): Below<(ParticipantContextId, ProfileName)>,
    headers: HeaderMap,
    JsonBytes(body, ..): Body,
) -> Response {
    let mut pids = Pids::default();
    let outcome = async {
        let addressed = address(&plane, &context, &profile).await?;
        let message: wire::TransferRequestMessage = wire::parse(&body)?;
        pids.consumer = message.consumer_pid.to_string();
        let request = InboundTransfer { message };
        Ok::<_, Refusal>(plane.receive_transfer_request(&addressed, authorization(&headers), request).await?)
    };
    match outcome.await {
        Ok(record) => shown(StatusCode::CREATED, &record),
        Err(refusal) => refusal.transfer(&pids),
    }
}

async fn show(
    State(plane): Plane,
    Path((context, profile, id), ..): Below<(ParticipantContextId, ProfileName, String)>,
    headers: HeaderMap,
) -> Response {
    let outcome = async {
        let addressed = address(&plane, &context, &profile).await?;
        Ok::<_, Refusal>(plane.shown_transfer(&addressed, authorization(&headers), &id).await?)
    };
    match outcome.await {
        Ok(record) => shown(StatusCode::OK, &record),
        Err(refusal) => refusal.transfer(&Pids { provider: id.clone(), consumer: id }),
    }
}

/// Any message about a transfer that exists. The path decides which; one matching process id of the body is
/// enough, as peers fill the other one freely.
async fn message<T: About>(
    State(plane): Plane,
    Path((context, profile, id), ..): Below<(ParticipantContextId, ProfileName, String)>,
    headers: HeaderMap,
    JsonBytes(body, ..): Body,
) -> Response {
    let mut pids = Pids { provider: id.clone(), consumer: id.clone() };
    let outcome = async {
        let addressed = address(&plane, &context, &profile).await?;
        let wire: T = wire::parse(&body)?;
        pids = wire.pids();
        let peer_pids = wire.peer_pids();
        let message_id = wire.message_id();
        let message = Inbound { message: wire.into(), message_id, peer_pid: None };
        let auth = authorization(&headers);
        let received = plane.receive_transfer_message(&addressed, auth, &id, (message, peer_pids)).await?;
        Ok::<_, Refusal>(received)
    };
    match outcome.await {
        Ok(record) => shown(StatusCode::OK, &record),
        Err(refusal) => refusal.transfer(&pids),
    }
}

fn shown(status: StatusCode, record: &TransferRecord) -> Response {
    match record.process.to_wire() {
        Some(body) => reply(status, &body),
        None => Refusal::not_found().transfer(&Pids::default()),
    }
}

/// A message about a transfer.
trait About: wire::Wire + Into<Message> + Send {
    fn message_id(&self) -> Option<MessageId>;
    fn pids(&self) -> Pids;
    /// What may be the peer's process id, whichever role it plays.
    fn peer_pids(&self) -> [PeerPid; 2];
}

macro_rules! about {
    ($($message:ty;)+) => {$(
        impl About for $message {
            fn message_id(&self) -> Option<MessageId> {
                self.id.clone()
            }
            fn pids(&self) -> Pids {
                Pids { provider: self.provider_pid.to_string(), consumer: self.consumer_pid.to_string() }
            }
            fn peer_pids(&self) -> [PeerPid; 2] {
                [self.provider_pid.clone().into(), self.consumer_pid.clone().into()]
            }
        }
    )+};
}

about! {
    wire::TransferStartMessage;
    wire::TransferCompletionMessage;
    wire::TransferTerminationMessage;
    wire::TransferSuspensionMessage;
}
