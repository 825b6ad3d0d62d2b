//! A data flow as it is stored.

use std::collections::VecDeque;

use heddle_clock::Timestamp;
use heddle_ids::{AssetId, DataFlowId, MessageId, ParticipantId, SharedAgreementId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Answer, Callback, CallbackKind, Kind, Side, State, owns_address};
use crate::{
    Direction, TransferProfile,
    wire::{DataAddress, DataFlowBaseMessage},
};

/// How many of the last answers a flow keeps, so that a repeated message gets the same one.
pub const ANSWERS_MAX: usize = 16;

/// What a flow is about. Fixed when the flow is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// The flow, which is the transfer process of its control plane.
    pub id: DataFlowId,
    /// The participant that the data plane works for.
    pub participant: ParticipantId,
    /// The other party.
    pub counter_party: ParticipantId,
    /// The dataspace in which the transfer happens.
    pub dataspace_context: String,
    /// The agreement under which data may flow.
    pub agreement_id: SharedAgreementId,
    /// The dataset, as the catalog names it.
    pub dataset_id: AssetId,
    /// Transport and direction.
    pub profile: TransferProfile,
    /// The party that the data plane acts for.
    pub side: Side,
    /// Labels of the request.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Metadata of the request.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// Claims of the counter-party, as the control plane has verified them.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

/// A data flow. It changes by [`super::apply`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    #[serde(flatten)]
    pub(super) terms: Terms,
    pub(super) state: State,
    pub(super) state_since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data_address: Option<DataAddress>,
    #[serde(default)]
    pub(super) answers: VecDeque<Answered>,
}

/// A message id and what was answered to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    pub(super) message_id: MessageId,
    pub(super) kind: Kind,
    pub(super) answer: Answer,
}

impl Flow {
    /// The flow that a prepare (consumer) or start (provider) asks for, before that message is applied.
    #[must_use]
    pub fn open(message: &DataFlowBaseMessage, side: Side, now: Timestamp) -> Self {
        let terms = Terms {
            id: message.data_flow_id.clone(),
            participant: message.participant_id.clone(),
            counter_party: message.counter_party_id.clone(),
            dataspace_context: message.dataspace_context.clone(),
            agreement_id: message.agreement_id.clone(),
            dataset_id: message.dataset_id.clone(),
            profile: message.profile.clone(),
            side,
            labels: message.labels.clone(),
            metadata: message.metadata.clone(),
            claims: message.claims.clone(),
        };
        Self {
            terms,
            state: State::Initialized,
            state_since: now,
            reason: None,
            data_address: None,
            answers: VecDeque::new(),
        }
    }

    /// What the flow is about.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The flow's id.
    #[must_use]
    pub const fn id(&self) -> &DataFlowId {
        &self.terms.id
    }

    /// The party that the data plane acts for.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.terms.side
    }

    /// Push or pull.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.terms.profile.direction()
    }

    /// The present state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Since when the flow is in this state.
    #[must_use]
    pub const fn state_since(&self) -> Timestamp {
        self.state_since
    }

    /// Why it was suspended or terminated, if the control plane said so.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The present address. None in a final state, since what opens a door is not kept once it is shut.
    #[must_use]
    pub const fn data_address(&self) -> Option<&DataAddress> {
        self.data_address.as_ref()
    }

    /// Whether this side issues the address.
    #[must_use]
    pub const fn owns_address(&self) -> bool {
        owns_address(self.side(), self.direction())
    }

    /// Whether data may move now: when started, and for a push also at its consumer as soon as that is
    /// prepared, since the first bytes may overtake the started notification (DPS 1.0, push).
    #[must_use]
    pub fn admits_data(&self) -> bool {
        let early = self.side() == Side::Consumer && self.direction() == Direction::Push;
        self.state == State::Started || (early && self.state == State::Prepared)
    }

    /// The callback for a failure that cannot be mended. The flow stays as it is: its control plane decides
    /// (DPS 1.0, `errored`).
    #[must_use]
    pub fn errored(&self, error: impl Into<String>) -> Callback {
        Callback {
            kind: CallbackKind::Errored,
            state: self.state,
            data_address: None,
            error: Some(error.into()),
        }
    }

    pub(super) fn answered(&self, message_id: &MessageId) -> Option<&Answered> {
        self.answers.iter().find(|answered| answered.message_id == *message_id)
    }

    pub(super) fn remember(&mut self, message_id: &MessageId, kind: Kind, answer: Answer) {
        if self.answers.len() >= ANSWERS_MAX {
            self.answers.pop_front();
        }
        self.answers.push_back(Answered { message_id: message_id.clone(), kind, answer });
    }

    /// Forgets every address: the flow is over.
    pub(super) fn forget_addresses(&mut self) {
        self.data_address = None;
        for answered in &mut self.answers {
            answered.answer.data_address = None;
        }
    }
}
