//! A negotiation as one party stores it.

use heddle_clock::Timestamp;
use heddle_ids::{
    AssetId, ConsumerPid, MessageId, NegotiationId, OfferId, ParticipantId, ProfileName, ProviderPid,
    SharedAgreementId,
};
use heddle_odrl::Policy;
use serde::{Deserialize, Serialize};

use super::{Effect, Event, Message, Refused, State, checks};
use crate::process::{Explanation, InFlight, PeerPid, ReceivedIds, Role};

/// What is known about a negotiation before its first message.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Our process id.
    pub id: NegotiationId,
    /// The part that we play.
    pub role: Role,
    /// Who we are in this dataspace.
    pub participant: ParticipantId,
    /// Who the peer is, as its identity service proved.
    pub counter_party: ParticipantId,
    /// The dataspace profile that both speak.
    pub profile: ProfileName,
    /// The dataset that it is about.
    pub dataset: AssetId,
    /// The base URL at which the peer takes messages.
    pub counter_party_address: String,
}

/// An offer that one of the parties has made, and the other one knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferRecord {
    /// Whose offer it is.
    pub by: Role,
    /// The terms.
    pub policy: Policy,
    /// When it became known to both.
    pub at: Timestamp,
}

/// How a negotiation ended without an agreement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Termination {
    /// Who ended it.
    pub by: Role,
    /// Why.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// When.
    pub at: Timestamp,
}

/// One party's copy of a negotiation. Changed only by the functions of this module, which return the next
/// value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Negotiation {
    pub(super) id: NegotiationId,
    pub(super) role: Role,
    pub(super) participant: ParticipantId,
    pub(super) counter_party: ParticipantId,
    pub(super) profile: ProfileName,
    pub(super) dataset: AssetId,
    pub(super) counter_party_address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) peer_pid: Option<PeerPid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<State>,
    #[serde(default)]
    pub(super) offers: Vec<OfferRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) agreement: Option<Policy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) termination: Option<Termination>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) in_flight: Option<InFlight<Message>>,
    /// A termination that waits for the answer to `in_flight`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) queued: Option<InFlight<Message>>,
    #[serde(default)]
    pub(super) received: ReceivedIds,
    pub(super) created_at: Timestamp,
    pub(super) changed_at: Timestamp,
}

impl Negotiation {
    /// Most offers, of both parties together, in one negotiation.
    pub const OFFERS_MAX: usize = 64;

    /// A negotiation before its first message: `send` it, or `receive` it from the peer.
    #[must_use]
    pub fn new(setup: Setup, now: Timestamp) -> Self {
        let Setup { id, role, participant, counter_party, profile, dataset, counter_party_address } = setup;
        Self {
            id,
            role,
            participant,
            counter_party,
            profile,
            dataset,
            counter_party_address,
            peer_pid: None,
            state: None,
            offers: Vec::new(),
            agreement: None,
            termination: None,
            in_flight: None,
            queued: None,
            received: ReceivedIds::default(),
            created_at: now,
            changed_at: now,
        }
    }

    /// Our process id, as our API names it.
    #[must_use]
    pub const fn id(&self) -> &NegotiationId {
        &self.id
    }

    /// The part that we play.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Who we are.
    #[must_use]
    pub const fn participant(&self) -> &ParticipantId {
        &self.participant
    }

    /// Who the peer is.
    #[must_use]
    pub const fn counter_party(&self) -> &ParticipantId {
        &self.counter_party
    }

    /// The base URL at which the peer takes messages.
    #[must_use]
    pub fn counter_party_address(&self) -> &str {
        &self.counter_party_address
    }

    /// The dataspace profile.
    #[must_use]
    pub const fn profile(&self) -> &ProfileName {
        &self.profile
    }

    /// The dataset.
    #[must_use]
    pub const fn dataset(&self) -> &AssetId {
        &self.dataset
    }

    /// The peer's process id; none until it has answered our first message.
    #[must_use]
    pub const fn peer_pid(&self) -> Option<&PeerPid> {
        self.peer_pid.as_ref()
    }

    /// The consumer's process id on the wire, ours or the peer's.
    #[must_use]
    pub fn consumer_pid(&self) -> Option<ConsumerPid> {
        match (self.role, &self.peer_pid) {
            // Our own id is an identifier already, so it cannot be refused as one.
            (Role::Consumer, _) => ConsumerPid::parse(self.id.as_str()).ok(),
            (Role::Provider, Some(PeerPid::Consumer(pid))) => Some(pid.clone()),
            (Role::Provider, _) => None,
        }
    }

    /// The provider's process id on the wire, ours or the peer's.
    #[must_use]
    pub fn provider_pid(&self) -> Option<ProviderPid> {
        match (self.role, &self.peer_pid) {
            (Role::Provider, _) => ProviderPid::parse(self.id.as_str()).ok(),
            (Role::Consumer, Some(PeerPid::Provider(pid))) => Some(pid.clone()),
            (Role::Consumer, _) => None,
        }
    }

    /// The state on the wire; none until the first message has been acknowledged.
    #[must_use]
    pub const fn state(&self) -> Option<State> {
        self.state
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.state.is_some_and(State::is_terminal)
    }

    /// The offers that both know, oldest first.
    #[must_use]
    pub fn offers(&self) -> &[OfferRecord] {
        &self.offers
    }

    /// The offer that is on the table.
    #[must_use]
    pub fn last_offer(&self) -> Option<&OfferRecord> {
        self.offers.last()
    }

    /// `@id` of the offer that is on the table.
    #[must_use]
    pub fn last_offer_id(&self) -> Option<OfferId> {
        OfferId::parse(self.last_offer()?.policy.id.clone()?).ok()
    }

    /// The agreement, from AGREED on.
    #[must_use]
    pub const fn agreement(&self) -> Option<&Policy> {
        self.agreement.as_ref()
    }

    /// `@id` of the agreement.
    #[must_use]
    pub fn agreement_id(&self) -> Option<SharedAgreementId> {
        SharedAgreementId::parse(self.agreement.as_ref()?.id.clone()?).ok()
    }

    /// Why it ended, in TERMINATED.
    #[must_use]
    pub const fn termination(&self) -> Option<&Termination> {
        self.termination.as_ref()
    }

    /// What we have sent, or are about to send, and the peer has not answered. A job that finds another
    /// message here than its own has nothing to do any more.
    #[must_use]
    pub const fn in_flight(&self) -> Option<&InFlight<Message>> {
        self.in_flight.as_ref()
    }

    /// Whether `message_id` is under way.
    #[must_use]
    pub fn is_in_flight(&self, message_id: &MessageId) -> bool {
        self.in_flight.as_ref().is_some_and(|flight| flight.message_id == *message_id)
    }

    /// When it was made.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When its state changed last.
    #[must_use]
    pub const fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// Moves by one message, whoever sent it. The only place where the state changes by a message.
    pub(super) fn apply(&mut self, by: Role, message: Message, now: Timestamp) -> Result<Effect, Refused> {
        let kind = message.kind();
        let Some(to) = super::next(self.state, by, kind) else {
            let expected = super::legal_kinds(self.state, by);
            return Err(Refused::Illegal { from: self.state, by, kind, expected });
        };
        checks::contents(self, by, &message)?;
        match message {
            Message::Request(policy) | Message::Offer(policy) => {
                self.offers.push(OfferRecord { by, policy: *policy, at: now });
            }
            Message::Agree(policy) => self.agreement = Some(*policy),
            Message::Terminate(explanation) => {
                self.termination = Some(Termination { by, explanation, at: now });
            }
            Message::Accept | Message::Verify | Message::Finalize => {}
        }
        Ok(self.enter(to, now))
    }

    pub(super) fn enter(&mut self, to: State, now: Timestamp) -> Effect {
        self.state = Some(to);
        self.changed_at = now;
        if to.is_terminal() {
            self.in_flight = None;
            self.queued = None;
        }
        Effect::Emit(Event::Entered(to))
    }

    /// Puts a waiting termination under way once nothing else is.
    pub(super) fn release_queued(&mut self, effects: &mut Vec<Effect>) {
        if self.in_flight.is_none()
            && let Some(queued) = self.queued.take()
        {
            effects.push(Effect::Send(queued.clone()));
            self.in_flight = Some(queued);
        }
    }
}
