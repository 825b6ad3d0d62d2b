//! The two machines behind one interface, and what their owners decide.

use std::fmt::Debug;

use heddle_clock::{SeededRng, Timestamp};
use heddle_dsp::{
    negotiation::{self, Negotiation},
    process::{Explanation, Failure, Inbound, PeerPid, Role},
    transfer::{self, Flow, TransferProcess},
};
use heddle_ids::MessageId;

use crate::support;

/// What a party says to a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    Taken,
    Wait,
    Refused(String),
}

/// A party after a step.
pub struct Moved<M: Machine> {
    pub party: M,
    pub entered: Vec<M::State>,
    pub replay: bool,
}

pub trait Machine: Clone + PartialEq + Debug {
    type Setup;
    type State: Copy + PartialEq + Debug;
    type Message: Clone + Debug;

    fn new(role: Role, setup: &Self::Setup) -> Self;
    fn state(&self) -> Option<Self::State>;
    fn is_terminal(&self) -> bool;
    fn is_terminated(state: Self::State) -> bool;
    fn peer_pid(&self) -> Option<PeerPid>;
    fn under_way(&self) -> Option<(MessageId, Self::Message)>;
    fn receive(&self, inbound: Inbound<Self::Message>, now: Timestamp) -> Result<Moved<Self>, Verdict>;
    fn send(&self, message: Self::Message, id: MessageId, now: Timestamp) -> Option<Moved<Self>>;
    fn acknowledged(&self, id: &MessageId, pid: Option<PeerPid>, now: Timestamp) -> Moved<Self>;
    fn abandoned(&self, id: &MessageId, failure: &Failure, notice: MessageId, now: Timestamp) -> Moved<Self>;
    fn observed(&self, state: Self::State, now: Timestamp) -> Moved<Self>;
    /// What the owner of the party wants to do, if anything.
    fn decide(&self, dice: &SeededRng) -> Option<Self::Message>;
    fn ending() -> Self::Message;
    /// Whether what is under way has been overtaken by the same message of the peer.
    fn is_overtaken(&self) -> bool;
    /// Whether a message of ours may be taken for acknowledged although it was not: a counter-offer that a
    /// new offer crosses looks like one that it answers. Both ways lead to the same state.
    fn may_be_imagined(message: &Self::Message) -> bool;
    /// What differs between two parties that have ended alike, but must not.
    fn difference(&self, other: &Self) -> Option<String>;
}

fn roll<T: Clone>(dice: &SeededRng, odds: &[(u64, Option<T>)]) -> Option<T> {
    let mut left = dice.below(odds.iter().map(|(weight, _)| weight).sum());
    for (weight, choice) in odds {
        if left < *weight {
            return choice.clone();
        }
        left -= weight;
    }
    None
}

impl Machine for Negotiation {
    type Setup = ();
    type State = negotiation::State;
    type Message = negotiation::Message;

    fn new(role: Role, (): &()) -> Self {
        support::negotiation(role)
    }
    fn state(&self) -> Option<Self::State> {
        Self::state(self)
    }
    fn is_terminal(&self) -> bool {
        Self::is_terminal(self)
    }
    fn is_terminated(state: Self::State) -> bool {
        state == negotiation::State::Terminated
    }
    fn peer_pid(&self) -> Option<PeerPid> {
        Self::peer_pid(self).cloned()
    }
    fn under_way(&self) -> Option<(MessageId, Self::Message)> {
        self.in_flight().map(|flight| (flight.message_id.clone(), flight.message.clone()))
    }
    fn receive(&self, inbound: Inbound<Self::Message>, now: Timestamp) -> Result<Moved<Self>, Verdict> {
        match negotiation::receive(self, inbound, now) {
            Ok(step) => Ok(step.into()),
            Err(negotiation::Refused::Busy { .. }) => Err(Verdict::Wait),
            Err(refused) => Err(Verdict::Refused(refused.to_string())),
        }
    }
    fn send(&self, message: Self::Message, id: MessageId, now: Timestamp) -> Option<Moved<Self>> {
        negotiation::send(self, message, id, now).ok().map(Into::into)
    }
    fn acknowledged(&self, id: &MessageId, pid: Option<PeerPid>, now: Timestamp) -> Moved<Self> {
        negotiation::acknowledged(self, id, pid, now).into()
    }
    fn abandoned(&self, id: &MessageId, failure: &Failure, notice: MessageId, now: Timestamp) -> Moved<Self> {
        negotiation::abandoned(self, id, failure, notice, now).into()
    }
    fn observed(&self, state: Self::State, now: Timestamp) -> Moved<Self> {
        negotiation::observed(self, state, now).into()
    }
    fn decide(&self, dice: &SeededRng) -> Option<Self::Message> {
        use negotiation::{Message, State};
        let terms = || Box::new(support::offer(["use", "read", "modify", "print"][dice.below(4) as usize]));
        let end = (2, Some(Self::ending()));
        match (Self::state(self), self.role()) {
            (None, Role::Consumer) => Some(Message::Request(terms())),
            (Some(State::Requested), Role::Provider) => {
                let last = &self.last_offer().expect("an offer").policy;
                let agree = Message::Agree(Box::new(support::agreement(last)));
                roll(dice, &[(40, Some(agree)), (50, Some(Message::Offer(terms()))), end])
            }
            (Some(State::Offered), Role::Consumer) => roll(
                dice,
                &[(40, Some(Message::Accept)), (30, Some(Message::Request(terms()))), (20, None), end],
            ),
            (Some(State::Offered), Role::Provider) => {
                roll(dice, &[(10, Some(Message::Offer(terms()))), (80, None), end])
            }
            (Some(State::Accepted), Role::Provider) => {
                let last = &self.last_offer().expect("an offer").policy;
                roll(dice, &[(90, Some(Message::Agree(Box::new(support::agreement(last))))), end])
            }
            (Some(State::Agreed), Role::Consumer) => roll(dice, &[(90, Some(Message::Verify)), end]),
            (Some(State::Verified), Role::Provider) => roll(dice, &[(90, Some(Message::Finalize)), end]),
            _ => roll(dice, &[(98, None), end]),
        }
    }
    fn ending() -> Self::Message {
        negotiation::Message::Terminate(Explanation::new("1", "enough"))
    }
    fn is_overtaken(&self) -> bool {
        false
    }
    fn may_be_imagined(message: &Self::Message) -> bool {
        message.kind() == negotiation::Kind::Request
    }
    fn difference(&self, other: &Self) -> Option<String> {
        let finalized = Self::state(self) == Some(negotiation::State::Finalized);
        let terms = |party: &Self| party.last_offer().map(|offer| offer.policy.clone());
        match finalized {
            true if self.agreement().is_none() => Some("finalised without an agreement".to_owned()),
            true if self.agreement() != other.agreement() => Some("two agreements".to_owned()),
            true if terms(self) != terms(other) => Some("two last offers".to_owned()),
            _ => None,
        }
    }
}

impl From<negotiation::Step> for Moved<Negotiation> {
    fn from(step: negotiation::Step) -> Self {
        let entered = step.effects.iter().filter_map(|effect| match effect {
            negotiation::Effect::Emit(negotiation::Event::Entered(state)) => Some(*state),
            _ => None,
        });
        Self { entered: entered.collect(), party: step.negotiation, replay: step.replay }
    }
}

impl Machine for TransferProcess {
    type Setup = Flow;
    type State = transfer::State;
    type Message = transfer::Message;

    fn new(role: Role, flow: &Flow) -> Self {
        support::transfer(role, *flow)
    }
    fn state(&self) -> Option<Self::State> {
        Self::state(self)
    }
    fn is_terminal(&self) -> bool {
        Self::is_terminal(self)
    }
    fn is_terminated(state: Self::State) -> bool {
        state == transfer::State::Terminated
    }
    fn peer_pid(&self) -> Option<PeerPid> {
        Self::peer_pid(self).cloned()
    }
    fn under_way(&self) -> Option<(MessageId, Self::Message)> {
        self.in_flight().map(|flight| (flight.message_id.clone(), flight.message.clone()))
    }
    fn receive(&self, inbound: Inbound<Self::Message>, now: Timestamp) -> Result<Moved<Self>, Verdict> {
        match transfer::receive(self, inbound, now) {
            Ok(step) => Ok(step.into()),
            Err(transfer::Refused::Busy { .. }) => Err(Verdict::Wait),
            Err(refused) => Err(Verdict::Refused(refused.to_string())),
        }
    }
    fn send(&self, message: Self::Message, id: MessageId, now: Timestamp) -> Option<Moved<Self>> {
        transfer::send(self, message, id, now).ok().map(Into::into)
    }
    fn acknowledged(&self, id: &MessageId, pid: Option<PeerPid>, now: Timestamp) -> Moved<Self> {
        transfer::acknowledged(self, id, pid, now).into()
    }
    fn abandoned(&self, id: &MessageId, failure: &Failure, notice: MessageId, now: Timestamp) -> Moved<Self> {
        transfer::abandoned(self, id, failure, notice, now).into()
    }
    fn observed(&self, state: Self::State, now: Timestamp) -> Moved<Self> {
        transfer::observed(self, state, now).into()
    }
    fn decide(&self, dice: &SeededRng) -> Option<Self::Message> {
        use transfer::{Message, State};
        let address = || {
            let token = format!("token-{}", dice.below(1000));
            (self.flow().address_owner() == self.role()).then(|| Box::new(support::address(&token)))
        };
        let end = (2, Some(Self::ending()));
        let suspend = Message::Suspend(Explanation::new("1", "night"));
        match (Self::state(self), self.role()) {
            (None, Role::Consumer) => Some(Message::Request(address())),
            (Some(State::Requested), Role::Provider) => {
                roll(dice, &[(90, Some(Message::Start(address()))), end])
            }
            (Some(State::Started), role) if self.is_address_due() && role == self.flow().address_owner() => {
                roll(dice, &[(90, Some(Message::Start(address()))), (20, Some(suspend)), end])
            }
            (Some(State::Started), _) => {
                roll(dice, &[(25, Some(suspend)), (15, Some(Message::Complete)), (40, None), end])
            }
            // Data Plane Signaling: whoever suspended resumes.
            (Some(State::Suspended), role) if self.suspension().is_some_and(|pause| pause.by == role) => {
                roll(dice, &[(60, Some(Message::Start(address()))), (20, None), end])
            }
            _ => roll(dice, &[(98, None), end]),
        }
    }
    fn ending() -> Self::Message {
        transfer::Message::Terminate(Explanation::new("1", "enough"))
    }
    fn is_overtaken(&self) -> bool {
        self.in_flight().is_some_and(|flight| flight.overtaken)
    }
    fn may_be_imagined(_: &Self::Message) -> bool {
        false
    }
    fn difference(&self, other: &Self) -> Option<String> {
        (self.data_address().is_some() || other.data_address().is_some())
            .then(|| "a secret is left".to_owned())
    }
}

impl From<transfer::Step> for Moved<TransferProcess> {
    fn from(step: transfer::Step) -> Self {
        let entered = step.effects.iter().filter_map(|effect| match effect {
            transfer::Effect::Emit(transfer::Event::Entered(state)) => Some(*state),
            _ => None,
        });
        Self { entered: entered.collect(), party: step.process, replay: step.replay }
    }
}
