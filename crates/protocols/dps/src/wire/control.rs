//! What steers a flow that exists: started, suspend, resume, terminate; and the agreement of a flow.

use heddle_ids::MessageId;
use serde::{Deserialize, Serialize};

use super::{DataAddress, Malformed, Message};

/// Tells a consumer's data plane that the provider has started (DPS 1.0, `POST /dataflows/:id/started`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataFlowStartedNotificationMessage {
    /// Id of this message, for replay detection.
    pub message_id: MessageId,
    /// In pull, where to fetch the data; in push absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
}

/// Asks a data plane to let data flow again (DPS 1.0, `POST /dataflows/:id/resume`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataFlowResumeMessage {
    /// Id of this message, for replay detection.
    pub message_id: MessageId,
    /// The new address, for the side that does not own it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
}

/// Asks a data plane to stop the data until it is resumed (DPS 1.0, `POST /dataflows/:id/suspend`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataFlowSuspendMessage {
    /// Id of this message, for replay detection.
    pub message_id: MessageId,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Asks a data plane to end a flow for good (DPS 1.0, `POST /dataflows/:id/terminate`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataFlowTerminateMessage {
    /// Id of this message, for replay detection.
    pub message_id: MessageId,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Message for DataFlowStartedNotificationMessage {
    type Wire = Self;
    fn from_wire(wire: Self) -> Result<Self, Malformed> {
        DataAddress::check(wire.data_address.as_ref(), "/dataAddress")?;
        Ok(wire)
    }
}

impl Message for DataFlowResumeMessage {
    type Wire = Self;
    fn from_wire(wire: Self) -> Result<Self, Malformed> {
        DataAddress::check(wire.data_address.as_ref(), "/dataAddress")?;
        Ok(wire)
    }
}

impl Message for DataFlowSuspendMessage {
    type Wire = Self;
    fn from_wire(wire: Self) -> Result<Self, Malformed> {
        Ok(wire)
    }
}

impl Message for DataFlowTerminateMessage {
    type Wire = Self;
    fn from_wire(wire: Self) -> Result<Self, Malformed> {
        Ok(wire)
    }
}

/// The agreement of a flow, as a control plane answers `GET /transfers/:id/agreement` (DPS 1.0,
/// `AgreementResponse`): the agreement of DSP 2025-1 with a JSON-LD context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgreementResponse<A> {
    #[serde(rename = "@context")]
    context: [&'static str; 1],
    #[serde(flatten)]
    agreement: A,
}

impl<A: Serialize> AgreementResponse<A> {
    /// The response for an agreement that serialises in the shape of DSP 2025-1, as an object.
    #[must_use]
    pub const fn new(agreement: A) -> Self {
        Self { context: ["https://w3id.org/dspace/2025/1/context.jsonld"], agreement }
    }
}
