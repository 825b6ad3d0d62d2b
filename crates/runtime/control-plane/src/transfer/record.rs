//! A transfer process as it is stored.

use std::borrow::Cow;

use heddle_dsp::{
    process::Role,
    transfer::{DataPlaneStep, Kind, State, TransferProcess},
};
use heddle_ids::{AgreementId, ConsumerPid, DataPlaneId, MessageId, ParticipantId};
use heddle_store::{Aggregate, Columns, filter::Properties};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::plane_failure;
use crate::{
    delivery::Sends,
    model::{DataplaneMetadata, with_private},
    negotiation::role_name,
    trace::DecisionTrace,
};

/// A signal to the data plane that is under way or waits its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signal {
    /// What the data plane is told.
    pub(crate) step: DataPlaneStep,
    /// The id of the message: the same for every attempt.
    pub(crate) message_id: MessageId,
    /// Why, for a suspension or a termination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The events `transfer.process.<name>` that are true when the data plane has been told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tells: Vec<String>,
    /// What waits until the data plane has been told that data stops.
    #[serde(default)]
    pub(crate) waiting: Waiting,
}

impl Signal {
    /// A signal that everything waits for.
    pub(crate) fn new(step: DataPlaneStep, message_id: MessageId, reason: Option<String>) -> Self {
        Self { step, message_id, reason, tells: Vec::new(), waiting: Waiting::default() }
    }
}

/// What waits for a signal that data stops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Waiting {
    /// The message to the peer, and the events.
    #[default]
    Message,
    /// The events alone: the data plane has missed it so often that the peer hears of it first.
    Events,
    /// Nothing: no data can have moved.
    Nothing,
}

/// One party's copy of a transfer process, with what the control plane keeps beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferRecord {
    /// The process.
    pub(crate) process: TransferProcess,
    /// Our own id of the agreement.
    pub(crate) agreement: AgreementId,
    /// Who we are in this dataspace.
    pub(crate) participant: ParticipantId,
    /// The data plane that does the work.
    pub(crate) data_plane: DataPlaneId,
    /// What the counter-party proved when it last spoke.
    #[serde(default)]
    pub(crate) claims: Value,
    /// Hints for the data plane.
    #[serde(default)]
    pub(crate) metadata: DataplaneMetadata,
    /// Signals in their order; the first is under way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) signals: Vec<Signal>,
    /// The data plane has answered that it is still at work on the first signal, and will call back.
    #[serde(default)]
    pub(crate) awaits_callback: bool,
    /// The data plane knows that nothing follows: it has no flow any more.
    #[serde(default)]
    pub(crate) flow_ended: bool,
    /// Callback addresses as the client gave them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) callback_addresses: Vec<Value>,
    /// Properties that never leave the participant.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) private_properties: Map<String, Value>,
    /// What the data plane last reported as an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data_plane_error: Option<String>,
    /// The message that has left the house and was not answered; another one may be under way since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unanswered: Option<MessageId>,
    /// Why things were decided.
    #[serde(default)]
    pub(crate) trace: DecisionTrace,
}

impl TransferRecord {
    /// A record of a process that has just begun.
    pub(crate) fn new(
        process: TransferProcess,
        agreement: AgreementId,
        participant: ParticipantId,
        data_plane: DataPlaneId,
    ) -> Self {
        Self {
            process,
            agreement,
            participant,
            data_plane,
            claims: Value::Null,
            metadata: DataplaneMetadata::default(),
            signals: Vec::new(),
            awaits_callback: false,
            flow_ended: false,
            callback_addresses: Vec::new(),
            private_properties: Map::new(),
            data_plane_error: None,
            unanswered: None,
            trace: DecisionTrace::default(),
        }
    }

    /// Messages to the peer go out one after the other.
    pub(crate) fn message_key(&self) -> String {
        format!("transfer/{}", self.process.id())
    }

    /// Signals to the data plane as well. They have a key of their own: a peer that lets a message wait holds up no
    /// stop of our data.
    pub(crate) fn signal_key(&self) -> String {
        format!("transfer/{}/data-plane", self.process.id())
    }

    /// Whether the peer may not be told yet: first our data stops.
    pub(crate) fn holds_message(&self) -> bool {
        self.signals.iter().any(|signal| signal.step.stops() && signal.waiting == Waiting::Message)
    }

    /// The last signal of those that data has not stopped before.
    pub(crate) fn pending_stop(&mut self) -> Option<&mut Signal> {
        let pending = |signal: &&mut Signal| signal.step.stops() && signal.waiting != Waiting::Nothing;
        self.signals.iter_mut().rev().find(pending)
    }

    /// The unique key of a provider's copy: a consumer's request leads to one transfer, however often it comes.
    pub(crate) fn key(counter_party: &ParticipantId, consumer: &ConsumerPid) -> String {
        format!("{}:{counter_party}:{consumer}", counter_party.as_str().len())
    }

    /// The state as the Management API names it.
    pub(crate) fn management_state(&self) -> &'static str {
        let process = &self.process;
        let under_way = process.in_flight().map(|flight| flight.message.kind());
        match (process.state(), process.busy(), under_way) {
            (Some(State::Completed), _, _) => "COMPLETED",
            (Some(State::Terminated), _, _) => "TERMINATED",
            (_, _, Some(Kind::Terminate)) => "TERMINATING",
            (_, Some(DataPlaneStep::Prepare), _) if self.awaits_callback => "PREPARATION_REQUESTED",
            (None, _, Some(Kind::Request)) => "REQUESTING",
            (None, _, _) => "INITIAL",
            (Some(State::Requested), Some(DataPlaneStep::Start), _) => "STARTUP_REQUESTED",
            (Some(State::Started), Some(DataPlaneStep::Start), _) if process.role() == Role::Consumer => {
                "STARTUP_REQUESTED"
            }
            (_, _, Some(Kind::Start)) => "STARTING",
            (_, _, Some(Kind::Suspend)) => "SUSPENDING",
            (_, _, Some(Kind::Complete)) => "COMPLETING",
            (Some(State::Suspended), Some(DataPlaneStep::Resume), _) => "RESUMING",
            (Some(state), _, _) => state.as_str(),
        }
    }

    /// Why it ended or was suspended, in one sentence, for the owner.
    pub(crate) fn error_detail(&self) -> Option<String> {
        let ending = self.process.termination().or_else(|| self.process.suspension());
        // What the peer was told of our data plane is not the half of it.
        let own = ending.filter(|ending| ending.by == self.process.role());
        if own.is_some_and(|own| own.explanation.code.as_deref() == Some(plane_failure::CODE))
            && let Some(reason) = &self.data_plane_error
        {
            return Some(reason.clone());
        }
        let reasons = ending.map(|ending| {
            let reasons: Vec<String> =
                ending.explanation.reason.iter().map(crate::negotiation::in_words).collect();
            if reasons.is_empty() {
                ending.explanation.code.clone().unwrap_or_default()
            } else {
                reasons.join("; ")
            }
        });
        reasons.filter(|text| !text.is_empty()).or_else(|| self.data_plane_error.clone())
    }
}

impl Sends for TransferRecord {
    fn is_in_flight(&self, message: &MessageId) -> bool {
        self.process.is_in_flight(message)
    }

    fn unanswered(&mut self) -> &mut Option<MessageId> {
        &mut self.unanswered
    }

    fn trace(&mut self) -> &mut DecisionTrace {
        &mut self.trace
    }
}

impl Aggregate for TransferRecord {
    const KIND: &'static str = "transfer";

    fn id(&self) -> &str {
        self.process.id().as_str()
    }

    fn columns(&self) -> Columns {
        let process = &self.process;
        let unique_key = match (process.role(), process.consumer_pid()) {
            (Role::Provider, Some(pid)) => Some(Self::key(process.counter_party(), &pid)),
            _ => None,
        };
        Columns {
            state: Some(Cow::Borrowed(self.management_state())),
            counter_party: Some(process.counter_party().to_string()),
            correlation: process.peer_pid().map(|pid| pid.as_str().to_owned()),
            reference: Some(self.agreement.to_string()),
            unique_key,
            due_at: None,
        }
    }

    fn properties(&self) -> Option<Properties> {
        let process = &self.process;
        let mut own = Properties::default()
            .with_text("id", process.id().as_str())
            .with_text("type", role_name(process.role()))
            .with_text("protocol", process.profile().as_str())
            .with_text("profile", process.profile().as_str())
            .with_text("state", self.management_state())
            .with_number("stateTimestamp", process.changed_at().as_millis())
            .with_text("counterPartyId", process.counter_party().as_str())
            .with_text("counterPartyAddress", process.counter_party_address())
            .with_number("createdAt", process.created_at().as_millis())
            .with_text("assetId", process.dataset().as_str())
            .with_text("contractId", self.agreement.as_str())
            .with_text("agreementId", process.agreement_id().as_str())
            .with_text("transferType", process.format());
        if let Some(pid) = process.peer_pid() {
            own = own.with_text("correlationId", pid.as_str());
        }
        if let Some(detail) = self.error_detail() {
            own = own.with_text("errorDetail", &detail);
        }
        Some(with_private(own, &self.private_properties))
    }
}
