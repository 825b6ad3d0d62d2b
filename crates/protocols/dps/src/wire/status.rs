//! The state of a flow: what a data plane answers, calls back with, and tells when asked.

use heddle_ids::{DataFlowId, MessageId};
use serde::{Deserialize, Serialize};

use super::{DataAddress, Malformed, Message};
use crate::State;

/// The state of a flow as we send it, in an answer and in a callback (DPS 1.0, `DataFlowStatusMessage`).
/// Its counterpart for reading is [`ReceivedStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataFlowStatusMessage {
    /// Id of this message.
    pub message_id: MessageId,
    /// The flow.
    pub data_flow_id: DataFlowId,
    /// Its state.
    pub state: State,
    /// The address, when this side owns it and the state makes it usable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
    /// What went wrong, in a callback to `errored`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A [`DataFlowStatusMessage`] as peers really send it.
///
/// Data planes answer with the state alone, or with an empty object; and some name the flow by an id of their
/// own. So nothing is required, and the path or the request decides which flow it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedStatus {
    /// Id of the message, for replay detection.
    pub message_id: Option<MessageId>,
    /// The flow, as the peer names it.
    pub data_flow_id: Option<DataFlowId>,
    /// The state of the flow.
    pub state: Option<State>,
    /// The address, when the peer owns it.
    pub data_address: Option<DataAddress>,
    /// What went wrong, in a callback to `errored`.
    pub error: Option<String>,
}

impl ReceivedStatus {
    /// Reads an answer, which may have no body at all: then nothing is known.
    ///
    /// # Errors
    /// As [`super::parse`].
    pub fn parse_answer(body: &[u8]) -> Result<Self, Malformed> {
        match body.trim_ascii().is_empty() {
            true => Ok(Self::default()),
            false => super::parse(body),
        }
    }

    /// The state, where one is needed: in answers to prepare and start, and in callbacks.
    ///
    /// # Errors
    /// [`Malformed`] when the message has none.
    pub fn required_state(&self) -> Result<State, Malformed> {
        self.state.ok_or_else(|| Malformed::new("/state", "a value, but the member is missing"))
    }
}

impl Message for ReceivedStatus {
    type Wire = Self;
    fn from_wire(wire: Self) -> Result<Self, Malformed> {
        DataAddress::check(wire.data_address.as_ref(), "/dataAddress")?;
        Ok(wire)
    }
}

/// The answer to `GET /dataflows/:id/status` (DPS 1.0, `DataFlowStatusResponseMessage`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataFlowStatusResponseMessage {
    /// The flow.
    pub data_flow_id: DataFlowId,
    /// Its state.
    pub state: State,
}

impl Message for DataFlowStatusResponseMessage {
    type Wire = Self;
    fn from_wire(wire: Self) -> Result<Self, Malformed> {
        Ok(wire)
    }
}
