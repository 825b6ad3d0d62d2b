//! A message in flight as the wire has it: which path of the peer, which body.

use serde::Serialize;

use super::{Message, Negotiation};
use crate::{
    process::{InFlight, PeerPid, Role},
    wire::{self, Context, Is},
};

/// A message ready to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Outbound {
    /// Path below [`Negotiation::counter_party_address`]; begins with `/`.
    pub path: String,
    /// The body.
    pub body: Body,
}

/// The body of a negotiation message.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Body {
    /// The consumer asks.
    Request(Box<wire::ContractRequestMessage>),
    /// The provider offers.
    Offer(Box<wire::ContractOfferMessage>),
    /// The provider agrees.
    Agreement(Box<wire::ContractAgreementMessage>),
    /// The consumer confirms.
    Verification(wire::ContractAgreementVerificationMessage),
    /// Accepted or finalised.
    Event(wire::ContractNegotiationEventMessage),
    /// Ended.
    Termination(wire::ContractNegotiationTerminationMessage),
}

/// Writes the message in flight (DSP 2025-1 §"Contract Negotiation HTTPS Binding").
///
/// `callback_address` is our own base URL; first messages carry it. None if the message needs the peer's process id and
/// the peer has not told it, which `send` prevents.
#[must_use]
pub fn outbound(negotiation: &Negotiation, flight: &InFlight<Message>, callback_address: &str) -> Option<Outbound> {
    let id = Some(flight.message_id.clone());
    let context = Context;
    let consumer = negotiation.consumer_pid();
    let provider = negotiation.provider_pid();
    let first = negotiation.peer_pid.is_none();
    let callback_address = first.then(|| callback_address.to_owned());
    let (suffix, body) = match flight.message.clone() {
        Message::Request(offer) => {
            let body = wire::ContractRequestMessage {
                context,
                kind: Is::new(),
                id,
                consumer_pid: consumer?,
                provider_pid: provider,
                offer: *offer,
                callback_address,
            };
            ("request", Body::Request(Box::new(body)))
        }
        Message::Offer(offer) => {
            let body = wire::ContractOfferMessage {
                context,
                kind: Is::new(),
                id,
                provider_pid: provider?,
                consumer_pid: consumer,
                offer: *offer,
                callback_address,
            };
            ("offers", Body::Offer(Box::new(body)))
        }
        Message::Agree(agreement) => {
            let (provider_pid, consumer_pid, agreement) = (provider?, consumer?, *agreement);
            let body =
                wire::ContractAgreementMessage { context, kind: Is::new(), id, provider_pid, consumer_pid, agreement };
            ("agreement", Body::Agreement(Box::new(body)))
        }
        Message::Verify => {
            let (provider_pid, consumer_pid) = (provider?, consumer?);
            let kind = Is::new();
            let body =
                wire::ContractAgreementVerificationMessage { context, kind, id, provider_pid, consumer_pid };
            ("agreement/verification", Body::Verification(body))
        }
        message @ (Message::Accept | Message::Finalize) => {
            let (provider_pid, consumer_pid) = (provider?, consumer?);
            let event_type = match message {
                Message::Accept => wire::EventType::Accepted,
                _ => wire::EventType::Finalized,
            };
            let kind = Is::new();
            let body =
                wire::ContractNegotiationEventMessage { context, kind, id, provider_pid, consumer_pid, event_type };
            ("events", Body::Event(body))
        }
        Message::Terminate(why) => {
            let body = wire::ContractNegotiationTerminationMessage {
                context,
                kind: Is::new(),
                id,
                provider_pid: provider?,
                consumer_pid: consumer?,
                code: why.code,
                reason: why.reason,
            };
            ("termination", Body::Termination(body))
        }
    };
    Some(Outbound { path: wire::process_path("negotiations", negotiation.peer_pid(), suffix), body })
}

impl Negotiation {
    /// The answer to a first message and to `GET` (DSP 2025-1, `ContractNegotiation`); none before both process
    /// ids and the state are known.
    #[must_use]
    pub fn to_wire(&self) -> Option<wire::ContractNegotiation> {
        Some(wire::ContractNegotiation {
            context: Context,
            kind: Is::new(),
            provider_pid: self.provider_pid()?,
            consumer_pid: self.consumer_pid()?,
            state: self.state?,
        })
    }

    /// An error about this negotiation, with both process ids.
    #[must_use]
    pub fn to_error(&self, code: &str, reason: &str) -> wire::ContractNegotiationError {
        let text = |role: Role| match (self.role == role, self.peer_pid.as_ref().map(PeerPid::as_str)) {
            (true, _) => self.id.as_str().to_owned(),
            (false, peer) => peer.unwrap_or_default().to_owned(),
        };
        wire::ContractNegotiationError::new(text(Role::Provider), text(Role::Consumer), code, reason)
    }
}
