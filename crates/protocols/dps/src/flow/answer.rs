//! What a data plane says back.

use heddle_ids::{DataFlowId, MessageId};
use serde::{Deserialize, Serialize};

use super::State;
use crate::wire::{DataAddress, DataFlowStatusMessage};

/// The answer to a message: the state that it led to, and the address if this side owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Id of the answer, made from the id of the message so that a replay is the same to the byte. Absent when
    /// the message had none (`completed`).
    pub message_id: Option<MessageId>,
    /// The flow's state after the message.
    pub state: State,
    /// The address, when this side owns it and the message led to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
}

impl Answer {
    /// The answer to the message with this id.
    pub(super) fn new(to: Option<&MessageId>, state: State, data_address: Option<DataAddress>) -> Self {
        // An id at the very limit of its length leaves no room for a suffix; then it names its answer too.
        let message_id = to.map(|id| MessageId::parse(format!("{id}:answer")).unwrap_or_else(|_| id.clone()));
        Self { message_id, state, data_address }
    }

    /// Whether the work goes on after this answer: 202 with a `Location`, and a callback later.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        matches!(self.state, State::Preparing | State::Starting)
    }

    /// The answer to prepare, start or resume on the wire. None for `completed`, whose answer has no body.
    #[must_use]
    pub fn to_message(&self, data_flow_id: &DataFlowId) -> Option<DataFlowStatusMessage> {
        Some(DataFlowStatusMessage {
            message_id: self.message_id.clone()?,
            data_flow_id: data_flow_id.clone(),
            state: self.state,
            data_address: self.data_address.clone(),
            error: None,
        })
    }
}

/// What a data plane calls back to its control plane (DPS 1.0, control plane endpoints). Sent until it is
/// acknowledged, each time with the same message id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Which endpoint it goes to.
    pub kind: CallbackKind,
    /// The flow's state.
    pub state: State,
    /// The address, when this side owns it and has just issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
    /// What went wrong, for [`CallbackKind::Errored`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The endpoints of callbacks: `/transfers/:id/dataflow/{kind}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallbackKind {
    /// A preparation that was under way is done.
    Prepared,
    /// A start that was under way is done.
    Started,
    /// All data has moved.
    Completed,
    /// Something cannot be mended. Changes no state; the control plane decides.
    Errored,
}

impl CallbackKind {
    /// The last segment of the endpoint's path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Errored => "errored",
        }
    }
}

impl Callback {
    /// The callback on the wire.
    #[must_use]
    pub fn to_message(&self, message_id: MessageId, data_flow_id: &DataFlowId) -> DataFlowStatusMessage {
        DataFlowStatusMessage {
            message_id,
            data_flow_id: data_flow_id.clone(),
            state: self.state,
            data_address: self.data_address.clone(),
            error: self.error.clone(),
        }
    }
}
