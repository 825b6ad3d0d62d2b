//! A message in flight as the wire has it: which path of the peer, which body.

use heddle_ids::MessageId;
use heddle_odrl::Policy;
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
/// `callback_address` is our own base URL; first messages carry it. None if the message needs the peer's
/// process id and the peer has not told it, which `send` prevents.
#[must_use]
pub fn outbound(
    negotiation: &Negotiation,
    flight: &InFlight<Message>,
    callback_address: &str,
) -> Option<Outbound> {
    let (suffix, body) = match &flight.message {
        Message::Request(offer) | Message::Offer(offer) => {
            let callback = negotiation.peer_pid.is_none().then(|| callback_address.to_owned());
            proposal(negotiation, &flight.message_id, offer, callback)?
        }
        other => answer(negotiation, &flight.message_id, other.clone())?,
    };
    Some(Outbound { path: wire::process_path("negotiations", negotiation.peer_pid(), suffix), body })
}

/// A message with an offer of ours. Only these may be the first, and then lack the peer's process id.
fn proposal(
    negotiation: &Negotiation,
    id: &MessageId,
    offer: &Policy,
    callback_address: Option<String>,
) -> Option<(&'static str, Body)> {
    let (context, id, offer) = (Context, Some(id.clone()), offer.clone());
    let (consumer, provider) = (negotiation.consumer_pid(), negotiation.provider_pid());
    Some(match negotiation.role() {
        Role::Consumer => {
            let (consumer_pid, provider_pid) = (consumer?, provider);
            let kind = Is::new();
            let body = wire::ContractRequestMessage {
                context,
                kind,
                id,
                consumer_pid,
                provider_pid,
                offer,
                callback_address,
            };
            ("request", Body::Request(Box::new(body)))
        }
        Role::Provider => {
            let (consumer_pid, provider_pid) = (consumer, provider?);
            let kind = Is::new();
            let body = wire::ContractOfferMessage {
                context,
                kind,
                id,
                provider_pid,
                consumer_pid,
                offer,
                callback_address,
            };
            ("offers", Body::Offer(Box::new(body)))
        }
    })
}

/// A message that answers one of the peer, and names both processes.
fn answer(negotiation: &Negotiation, id: &MessageId, message: Message) -> Option<(&'static str, Body)> {
    let (context, id) = (Context, Some(id.clone()));
    let (provider_pid, consumer_pid) = (negotiation.provider_pid()?, negotiation.consumer_pid()?);
    let event = |event_type| {
        let (provider_pid, consumer_pid, kind) = (provider_pid.clone(), consumer_pid.clone(), Is::new());
        let id = id.clone();
        let body = wire::ContractNegotiationEventMessage {
            context,
            kind,
            id,
            provider_pid,
            consumer_pid,
            event_type,
        };
        ("events", Body::Event(body))
    };
    Some(match message {
        // These carry an offer: `proposal` writes them.
        Message::Request(_) | Message::Offer(_) => return None,
        Message::Accept => event(wire::EventType::Accepted),
        Message::Finalize => event(wire::EventType::Finalized),
        Message::Agree(agreement) => {
            let (agreement, kind) = (*agreement, Is::new());
            let body =
                wire::ContractAgreementMessage { context, kind, id, provider_pid, consumer_pid, agreement };
            ("agreement", Body::Agreement(Box::new(body)))
        }
        Message::Verify => {
            let kind = Is::new();
            let body =
                wire::ContractAgreementVerificationMessage { context, kind, id, provider_pid, consumer_pid };
            ("agreement/verification", Body::Verification(body))
        }
        Message::Terminate(why) => {
            let (kind, code, reason) = (Is::new(), why.code, why.reason);
            let body = wire::ContractNegotiationTerminationMessage {
                context,
                kind,
                id,
                provider_pid,
                consumer_pid,
                code,
                reason,
            };
            ("termination", Body::Termination(body))
        }
    })
}

impl Negotiation {
    /// The answer to a first message and to `GET` (DSP 2025-1, `ContractNegotiation`); none before both
    /// process ids and the state are known.
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

    /// Where the peer shows its state, below [`Negotiation::counter_party_address`]; none before it has told its
    /// process id. What it answers is for [`super::observed`].
    #[must_use]
    pub fn peer_path(&self) -> Option<String> {
        Some(wire::peer_path("negotiations", self.peer_pid.as_ref()?))
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
