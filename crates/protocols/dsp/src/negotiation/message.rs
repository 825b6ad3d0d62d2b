//! Messages, events and effects as data.

use std::fmt;

use heddle_odrl::Policy;
use serde::{Deserialize, Serialize};

use super::{Negotiation, State};
use crate::{
    process::{Explanation, InFlight},
    wire,
};

/// What a message does, without its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// `ContractRequestMessage`.
    Request,
    /// `ContractOfferMessage`.
    Offer,
    /// `ContractNegotiationEventMessage` with `ACCEPTED`.
    Accept,
    /// `ContractAgreementMessage`.
    Agree,
    /// `ContractAgreementVerificationMessage`.
    Verify,
    /// `ContractNegotiationEventMessage` with `FINALIZED`.
    Finalize,
    /// `ContractNegotiationTerminationMessage`.
    Terminate,
}

impl Kind {
    /// All of them, in the order of the specification.
    pub const ALL: [Self; 7] = [
        Self::Request,
        Self::Offer,
        Self::Accept,
        Self::Agree,
        Self::Verify,
        Self::Finalize,
        Self::Terminate,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Offer => "offer",
            Self::Accept => "acceptance",
            Self::Agree => "agreement",
            Self::Verify => "verification",
            Self::Finalize => "finalisation",
            Self::Terminate => "termination",
        })
    }
}

/// A message of the negotiation protocol without the process ids and the addresses, which the process knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// The consumer asks, or answers an offer with another one.
    Request(Box<Policy>),
    /// The provider offers.
    Offer(Box<Policy>),
    /// The consumer accepts the last offer.
    Accept,
    /// The provider agrees to the last offer.
    Agree(Box<Policy>),
    /// The consumer confirms the agreement.
    Verify,
    /// The provider makes the agreement binding.
    Finalize,
    /// Either party ends the negotiation.
    Terminate(Explanation),
}

impl Message {
    /// What the message does.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Request(_) => Kind::Request,
            Self::Offer(_) => Kind::Offer,
            Self::Accept => Kind::Accept,
            Self::Agree(_) => Kind::Agree,
            Self::Verify => Kind::Verify,
            Self::Finalize => Kind::Finalize,
            Self::Terminate(_) => Kind::Terminate,
        }
    }
}

impl From<wire::ContractRequestMessage> for Message {
    fn from(message: wire::ContractRequestMessage) -> Self {
        Self::Request(Box::new(message.offer))
    }
}

impl From<wire::ContractOfferMessage> for Message {
    fn from(message: wire::ContractOfferMessage) -> Self {
        Self::Offer(Box::new(message.offer))
    }
}

impl From<wire::ContractAgreementMessage> for Message {
    fn from(message: wire::ContractAgreementMessage) -> Self {
        Self::Agree(Box::new(message.agreement))
    }
}

impl From<wire::ContractAgreementVerificationMessage> for Message {
    fn from(_: wire::ContractAgreementVerificationMessage) -> Self {
        Self::Verify
    }
}

impl From<wire::ContractNegotiationEventMessage> for Message {
    fn from(message: wire::ContractNegotiationEventMessage) -> Self {
        match message.event_type {
            wire::EventType::Accepted => Self::Accept,
            wire::EventType::Finalized => Self::Finalize,
        }
    }
}

impl From<wire::ContractNegotiationTerminationMessage> for Message {
    fn from(message: wire::ContractNegotiationTerminationMessage) -> Self {
        Self::Terminate(Explanation { code: message.code, reason: message.reason })
    }
}

/// Something that happened to a negotiation, for whoever watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    /// We have decided to begin it; the peer does not know yet.
    Initiated,
    /// It came into this state (again, for a counter-offer).
    Entered(State),
}

impl Event {
    /// The last part of the event's name, such as `finalized`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Entered(State::Requested) => "requested",
            Self::Entered(State::Offered) => "offered",
            Self::Entered(State::Accepted) => "accepted",
            Self::Entered(State::Agreed) => "agreed",
            Self::Entered(State::Verified) => "verified",
            Self::Entered(State::Finalized) => "finalized",
            Self::Entered(State::Terminated) => "terminated",
        }
    }
}

/// What the caller has to do in the same commit that stores the negotiation.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Enqueue sending this message; it is now [`Negotiation::in_flight`].
    Send(InFlight<Message>),
    /// Tell whoever watches.
    Emit(Event),
}

/// The outcome of a function of this module.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The negotiation as it is now.
    pub negotiation: Negotiation,
    /// What to do, in this order.
    pub effects: Vec<Effect>,
    /// Nothing has changed: the call repeated something already done, or came too late to matter. A repeated
    /// message gets the answer that the first one got.
    pub replay: bool,
}

impl Step {
    pub(super) fn moved(negotiation: Negotiation, effects: Vec<Effect>) -> Self {
        Self { negotiation, effects, replay: false }
    }

    pub(super) fn replayed(negotiation: &Negotiation) -> Self {
        Self { negotiation: negotiation.clone(), effects: Vec::new(), replay: true }
    }
}
