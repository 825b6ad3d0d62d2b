//! The negotiation endpoints of provider and consumer (DSP 2025-1 §"Contract Negotiation HTTPS Binding"), in the
//! order of the specification's tables.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use heddle_dsp::{
    negotiation::{Kind, Message},
    process::{Inbound, PeerPid, Role},
    wire,
};
use heddle_ids::{MessageId, ParticipantContextId, ProfileName};
use heddle_web::{JsonBytes, Path, reply};
use http::{HeaderMap, StatusCode};

use super::{
    address, authorization,
    errors::{NegotiationSurface, Pids, Refusal},
};
use crate::{
    ControlPlane,
    negotiation::{Answer, InboundRequest},
};

type Plane = State<Arc<ControlPlane>>;
type Below<T> = Path<T, NegotiationSurface>;
type Body = JsonBytes<NegotiationSurface>;

/// Routes below `/api/dsp/{context}/{profile}/negotiations`.
pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new()
        .route("/request", post(initial_request))
        .route("/{id}", get(show))
        .route("/{id}/request", post(message::<wire::ContractRequestMessage>))
        .route("/{id}/offers", post(message::<wire::ContractOfferMessage>))
        .route("/{id}/events", post(message::<wire::ContractNegotiationEventMessage>))
        .route("/{id}/agreement", post(message::<wire::ContractAgreementMessage>))
        .route("/{id}/agreement/verification", post(message::<wire::ContractAgreementVerificationMessage>))
        .route("/{id}/termination", post(message::<wire::ContractNegotiationTerminationMessage>))
}

async fn initial_request(
    State(plane): Plane,
    Path((context, profile), ..): Below<(ParticipantContextId, ProfileName)>,
    headers: HeaderMap,
    JsonBytes(body, ..): Body,
) -> Response {
    let mut pids = Pids::default();
    let outcome = async {
        let addressed = address(&plane, &context, &profile).await?;
        let message: wire::ContractRequestMessage = wire::parse(&body)?;
        pids.consumer = message.consumer_pid.to_string();
        if message.provider_pid.is_some() {
            return Err(Refusal::malformed("an initial request has no providerPid"));
        }
        let request = InboundRequest { message };
        Ok(plane.receive_request(&addressed, authorization(&headers), request).await?)
    };
    match outcome.await {
        Ok(record) => shown(StatusCode::CREATED, &record),
        Err(refusal) => refusal.negotiation(&pids),
    }
}

async fn show(
    State(plane): Plane,
    Path((context, profile, id), ..): Below<(ParticipantContextId, ProfileName, String)>,
    headers: HeaderMap,
) -> Response {
    let outcome = async {
        let addressed = address(&plane, &context, &profile).await?;
        Ok::<_, Refusal>(plane.shown_negotiation(&addressed, authorization(&headers), &id).await?)
    };
    match outcome.await {
        Ok(record) => shown(StatusCode::OK, &record),
        Err(refusal) => refusal.negotiation(&Pids { provider: id.clone(), consumer: id }),
    }
}

/// Any message about a process that exists.
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
        pids = wire.pids(&id);
        let message = wire.into_inbound(&id)?;
        Ok::<_, Refusal>(plane.receive_message(&addressed, authorization(&headers), &id, message).await?)
    };
    match outcome.await {
        Ok(record) => shown(StatusCode::OK, &record),
        Err(refusal) => refusal.negotiation(&pids),
    }
}

fn shown(status: StatusCode, record: &Answer) -> Response {
    match record.process.to_wire() {
        Some(body) => reply(status, &body),
        None => Refusal::not_found().negotiation(&Pids::default()),
    }
}

/// A message about a process: it names both process ids, or at least the receiver's.
trait About: wire::Wire + Into<Message> + Send {
    fn message_id(&self) -> Option<MessageId>;
    fn provider_pid(&self) -> Option<String>;
    fn consumer_pid(&self) -> Option<String>;

    fn pids(&self, path: &str) -> Pids {
        let or_path = |pid: Option<String>| pid.unwrap_or_else(|| path.to_owned());
        Pids { provider: or_path(self.provider_pid()), consumer: or_path(self.consumer_pid()) }
    }

    /// The message for the process `path`: the body must name it, and the other id must be the sender's.
    fn into_inbound(self, path: &str) -> Result<Inbound<Message>, Refusal> {
        let (provider, consumer) = (self.provider_pid(), self.consumer_pid());
        let message_id = self.message_id();
        let message: Message = self.into();
        let (own, peer, role) = match sender(&message) {
            Some(Role::Consumer) => (provider, consumer, Role::Consumer),
            Some(Role::Provider) => (consumer, provider, Role::Provider),
            // A termination comes from either; the id in the path tells whose it is not.
            None if provider.as_deref() == Some(path) => (provider, consumer, Role::Consumer),
            None => (consumer, provider, Role::Provider),
        };
        if own.as_deref().is_some_and(|own| own != path) {
            return Err(Refusal::malformed(format!("the message is about another process than '{path}'")));
        }
        let peer = peer.map(|pid| PeerPid::parse(role, pid)).transpose();
        let peer_pid = peer.map_err(|error| Refusal::malformed(error.to_string()))?;
        Ok(Inbound { message, message_id, peer_pid })
    }
}

/// Who sends a message of this kind; none when both may.
fn sender(message: &Message) -> Option<Role> {
    match message.kind() {
        Kind::Request | Kind::Accept | Kind::Verify => Some(Role::Consumer),
        Kind::Offer | Kind::Agree | Kind::Finalize => Some(Role::Provider),
        Kind::Terminate => None,
    }
}

macro_rules! about {
    ($($message:ty: $provider:expr, $consumer:expr;)+) => {$(
        impl About for $message {
            fn message_id(&self) -> Option<MessageId> {
                self.id.clone()
            }
            fn provider_pid(&self) -> Option<String> {
                let pid: fn(&Self) -> Option<String> = $provider;
                pid(self)
            }
            fn consumer_pid(&self) -> Option<String> {
                let pid: fn(&Self) -> Option<String> = $consumer;
                pid(self)
            }
        }
    )+};
}

about! {
    wire::ContractRequestMessage:
        |m| m.provider_pid.as_ref().map(ToString::to_string), |m| Some(m.consumer_pid.to_string());
    wire::ContractOfferMessage:
        |m| Some(m.provider_pid.to_string()), |m| m.consumer_pid.as_ref().map(ToString::to_string);
    wire::ContractNegotiationEventMessage:
        |m| Some(m.provider_pid.to_string()), |m| Some(m.consumer_pid.to_string());
    wire::ContractAgreementMessage:
        |m| Some(m.provider_pid.to_string()), |m| Some(m.consumer_pid.to_string());
    wire::ContractAgreementVerificationMessage:
        |m| Some(m.provider_pid.to_string()), |m| Some(m.consumer_pid.to_string());
    wire::ContractNegotiationTerminationMessage:
        |m| Some(m.provider_pid.to_string()), |m| Some(m.consumer_pid.to_string());
}
