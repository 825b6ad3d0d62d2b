//! What opens a data flow: prepare (to a consumer's data plane) and start (to a provider's).

use heddle_ids::{AssetId, DataFlowId, MessageId, ParticipantId, SharedAgreementId};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Map, Value};

use super::{DataAddress, Malformed, Message};
use crate::TransferProfile;

/// Most labels that a message may have.
pub const LABELS_MAX: usize = 64;

/// What prepare and start have in common (DPS 1.0, `DataFlowBaseMessage`).
///
/// The flow is named by the transfer process id. Release candidate 3 calls that member `processId`, release
/// candidate 4 `dataFlowId`: both are written, either is read, and two that differ are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFlowBaseMessage {
    /// Id of this message, for replay detection.
    pub message_id: MessageId,
    /// The participant that the data plane works for.
    pub participant_id: ParticipantId,
    /// The other party of the transfer.
    pub counter_party_id: ParticipantId,
    /// The dataspace in which the transfer happens.
    pub dataspace_context: String,
    /// The flow, which is the transfer process of the control plane that sends this.
    pub data_flow_id: DataFlowId,
    /// The agreement under which data may flow.
    pub agreement_id: SharedAgreementId,
    /// The dataset, as the catalog names it.
    pub dataset_id: AssetId,
    /// Transport and direction.
    pub profile: TransferProfile,
    /// Claims of the counter-party, as the control plane has verified them. Read as empty when absent.
    pub claims: Map<String, Value>,
    /// Labels for the choice of a data plane or its handling.
    pub labels: Vec<String>,
    /// What else the data plane should know; the profile says what.
    pub metadata: Map<String, Value>,
    /// Where to send data to. Only a start in push has one; a prepare that brings one can thus be refused.
    pub data_address: Option<DataAddress>,
}

/// Asks a consumer's data plane to make ready (DPS 1.0, `POST /dataflows/prepare`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataFlowPrepareMessage(pub DataFlowBaseMessage);

/// Asks a provider's data plane to start (DPS 1.0, `POST /dataflows/start`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataFlowStartMessage(pub DataFlowBaseMessage);

impl Message for DataFlowPrepareMessage {
    type Wire = RequestWire;
    fn from_wire(wire: RequestWire) -> Result<Self, Malformed> {
        DataFlowBaseMessage::from_wire(wire).map(Self)
    }
}

impl Message for DataFlowStartMessage {
    type Wire = RequestWire;
    fn from_wire(wire: RequestWire) -> Result<Self, Malformed> {
        DataFlowBaseMessage::from_wire(wire).map(Self)
    }
}

/// The members of prepare and start in every spelling.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestWire {
    message_id: MessageId,
    participant_id: ParticipantId,
    counter_party_id: ParticipantId,
    dataspace_context: String,
    process_id: Option<DataFlowId>,
    data_flow_id: Option<DataFlowId>,
    agreement_id: SharedAgreementId,
    dataset_id: AssetId,
    profile: Option<TransferProfile>,
    transfer_type: Option<TransferProfile>,
    claims: Option<Map<String, Value>>,
    labels: Option<Vec<String>>,
    metadata: Option<Map<String, Value>>,
    data_address: Option<DataAddress>,
}

impl Message for DataFlowBaseMessage {
    type Wire = RequestWire;

    fn from_wire(wire: RequestWire) -> Result<Self, Malformed> {
        let data_flow_id = either(("dataFlowId", wire.data_flow_id), ("processId", wire.process_id))?;
        let profile = either(("profile", wire.profile), ("transferType", wire.transfer_type))?;
        let labels = bounded(wire.labels, "/labels", LABELS_MAX)?;
        DataAddress::check(wire.data_address.as_ref(), "/dataAddress")?;
        Ok(Self {
            message_id: wire.message_id,
            participant_id: wire.participant_id,
            counter_party_id: wire.counter_party_id,
            dataspace_context: wire.dataspace_context,
            data_flow_id,
            agreement_id: wire.agreement_id,
            dataset_id: wire.dataset_id,
            profile,
            claims: wire.claims.unwrap_or_default(),
            labels,
            metadata: wire.metadata.unwrap_or_default(),
            data_address: wire.data_address,
        })
    }
}

/// The value of a member that has two names. Both are allowed when they agree.
pub(super) fn either<T: PartialEq>(new: (&str, Option<T>), old: (&str, Option<T>)) -> Result<T, Malformed> {
    match (new.1, old.1) {
        (Some(value), Some(other)) if value != other => {
            Err(Malformed::new(format!("/{}", old.0), format!("the same value as in `{}`", new.0)))
        }
        (Some(value), _) | (None, Some(value)) => Ok(value),
        (None, None) => {
            let expected = format!("a value here or in `{}`, but both members are missing", old.0);
            Err(Malformed::new(format!("/{}", new.0), expected))
        }
    }
}

/// A list that may be absent, with its bound.
pub(super) fn bounded<T>(list: Option<Vec<T>>, pointer: &str, max: usize) -> Result<Vec<T>, Malformed> {
    let list = list.unwrap_or_default();
    match list.len() > max {
        true => Err(Malformed::new(pointer, format!("at most {max} elements"))),
        false => Ok(list),
    }
}

impl Serialize for DataFlowBaseMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("DataFlowBaseMessage", 13)?;
        out.serialize_field("messageId", &self.message_id)?;
        out.serialize_field("participantId", &self.participant_id)?;
        out.serialize_field("counterPartyId", &self.counter_party_id)?;
        out.serialize_field("dataspaceContext", &self.dataspace_context)?;
        out.serialize_field("processId", &self.data_flow_id)?;
        out.serialize_field("dataFlowId", &self.data_flow_id)?;
        out.serialize_field("agreementId", &self.agreement_id)?;
        out.serialize_field("datasetId", &self.dataset_id)?;
        out.serialize_field("profile", &self.profile)?;
        out.serialize_field("claims", &self.claims)?;
        if !self.labels.is_empty() {
            out.serialize_field("labels", &self.labels)?;
        }
        if !self.metadata.is_empty() {
            out.serialize_field("metadata", &self.metadata)?;
        }
        if let Some(address) = &self.data_address {
            out.serialize_field("dataAddress", address)?;
        }
        out.end()
    }
}
