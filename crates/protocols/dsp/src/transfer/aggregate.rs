//! A transfer process as one party stores it.

use heddle_clock::Timestamp;
use heddle_ids::{
    AssetId, ConsumerPid, MessageId, ParticipantId, ProfileName, ProviderPid, SharedAgreementId,
    TransferProcessId,
};
use serde::{Deserialize, Serialize};

use super::{DataPlaneStep, Effect, Event, Flow, Kind, Message, Refused, State, checks};
use crate::{
    process::{Explanation, InFlight, PeerPid, ReceivedIds, Role},
    wire::DataAddress,
};

/// What is known about a transfer before its first message.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Our process id.
    pub id: TransferProcessId,
    /// The part that we play.
    pub role: Role,
    /// Who the peer is, as its identity service proved.
    pub counter_party: ParticipantId,
    /// The dataspace profile that both speak.
    pub profile: ProfileName,
    /// The agreement that allows the transfer.
    pub agreement_id: SharedAgreementId,
    /// The dataset of the agreement.
    pub dataset: AssetId,
    /// The format of the distribution.
    pub format: String,
    /// Which way the format moves data.
    pub flow: Flow,
    /// The base URL at which the peer takes messages.
    pub counter_party_address: String,
}

/// How a transfer was paused or ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ending {
    /// Who did it.
    pub by: Role,
    /// Why.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// When.
    pub at: Timestamp,
}

/// One party's copy of a transfer. Changed only by the functions of this module, which return the next value.
///
/// It holds the data address with its secrets as long as it is needed; a terminal process has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferProcess {
    pub(super) id: TransferProcessId,
    pub(super) role: Role,
    pub(super) counter_party: ParticipantId,
    pub(super) profile: ProfileName,
    pub(super) agreement_id: SharedAgreementId,
    pub(super) dataset: AssetId,
    pub(super) format: String,
    pub(super) flow: Flow,
    pub(super) counter_party_address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) peer_pid: Option<PeerPid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<State>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data_address: Option<DataAddress>,
    /// A resume of the other party has been applied, and the owner's start with the address may follow.
    #[serde(default)]
    pub(super) address_due: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) suspension: Option<Ending>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) termination: Option<Ending>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) in_flight: Option<InFlight<Message>>,
    /// A termination that waits for the answer to `in_flight`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) queued: Option<InFlight<Message>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) busy: Option<DataPlaneStep>,
    #[serde(default)]
    pub(super) received: ReceivedIds,
    pub(super) created_at: Timestamp,
    pub(super) changed_at: Timestamp,
}

impl TransferProcess {
    /// A transfer before its first message: `send` it, or `receive` it from the peer.
    #[must_use]
    pub fn new(setup: Setup, now: Timestamp) -> Self {
        let Setup {
            id,
            role,
            counter_party,
            profile,
            agreement_id,
            dataset,
            format,
            flow,
            counter_party_address,
        } = setup;
        Self {
            id,
            role,
            counter_party,
            profile,
            agreement_id,
            dataset,
            format,
            flow,
            counter_party_address,
            peer_pid: None,
            state: None,
            data_address: None,
            address_due: false,
            suspension: None,
            termination: None,
            in_flight: None,
            queued: None,
            busy: None,
            received: ReceivedIds::default(),
            created_at: now,
            changed_at: now,
        }
    }

    /// Our process id, as our API names it.
    #[must_use]
    pub const fn id(&self) -> &TransferProcessId {
        &self.id
    }

    /// The part that we play.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
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

    /// The agreement that allows the transfer.
    #[must_use]
    pub const fn agreement_id(&self) -> &SharedAgreementId {
        &self.agreement_id
    }

    /// The dataset.
    #[must_use]
    pub const fn dataset(&self) -> &AssetId {
        &self.dataset
    }

    /// The format of the distribution.
    #[must_use]
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Which way the data moves.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    /// The peer's process id; none until it has answered our request.
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

    /// The state on the wire; none until the request has been acknowledged.
    #[must_use]
    pub const fn state(&self) -> Option<State> {
        self.state
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.state.is_some_and(State::is_terminal)
    }

    /// The address that the data moves through; the owner's latest.
    #[must_use]
    pub const fn data_address(&self) -> Option<&DataAddress> {
        self.data_address.as_ref()
    }

    /// Whether the owner of the address is to answer a resume with a start that brings it.
    #[must_use]
    pub const fn is_address_due(&self) -> bool {
        self.address_due
    }

    /// Who paused it and why, in SUSPENDED.
    #[must_use]
    pub const fn suspension(&self) -> Option<&Ending> {
        self.suspension.as_ref()
    }

    /// Who ended it and why, in TERMINATED.
    #[must_use]
    pub const fn termination(&self) -> Option<&Ending> {
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

    /// When it changed last.
    #[must_use]
    pub const fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// The state after a message, with the arrows of a due address.
    pub(super) fn next(&self, by: Role, kind: Kind) -> Option<State> {
        super::next(self.state, by, kind).or_else(|| {
            let due = self.address_due && by == self.flow.address_owner();
            let arrow = super::ADDRESS_ARROWS
                .iter()
                .find(|arrow| due && (arrow.from, arrow.by, arrow.kind) == (self.state, by, kind))?;
            Some(arrow.to)
        })
    }

    /// What `by` may send now.
    pub(super) fn legal_kinds(&self, by: Role) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| self.next(by, *kind).is_some()).collect()
    }

    /// Moves by one message, whoever sent it. The only place where the state changes by a message.
    pub(super) fn apply(&mut self, by: Role, message: Message, now: Timestamp) -> Result<Effect, Refused> {
        let kind = message.kind();
        let Some(to) = self.next(by, kind) else {
            return Err(Refused::Illegal { from: self.state, by, kind, expected: self.legal_kinds(by) });
        };
        checks::contents(self, by, &message)?;
        let owner = by == self.flow.address_owner();
        let renewed = self.state == Some(State::Started) && kind == Kind::Start;
        self.address_due = self.state == Some(State::Suspended) && kind == Kind::Start && !owner;
        match message {
            Message::Request(address) | Message::Start(address) => {
                // The address of anybody but its owner means nothing.
                if owner && let Some(address) = address {
                    self.data_address = Some(*address);
                }
                self.suspension = None;
            }
            Message::Suspend(explanation) => self.suspension = Some(Ending { by, explanation, at: now }),
            Message::Terminate(explanation) => self.termination = Some(Ending { by, explanation, at: now }),
            Message::Complete => {}
        }
        let effect = self.enter(to, now);
        Ok(if renewed { Effect::Emit(Event::AddressRenewed) } else { effect })
    }

    pub(super) fn enter(&mut self, to: State, now: Timestamp) -> Effect {
        self.state = Some(to);
        self.changed_at = now;
        if to.is_terminal() {
            self.in_flight = None;
            self.queued = None;
            self.data_address = None;
            self.address_due = false;
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
