//! Messages of the transfer process protocol (DSP 2025-1 §"Transfer Process Protocol").

use std::fmt;

use heddle_ids::{ConsumerPid, MessageId, ProviderPid, SharedAgreementId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Context, Is, Malformed, Wire, context::typed, lists::one_or_many};
use crate::transfer::State;

/// Longest format that a request may name, in bytes; names of transfer types are short, URLs of profiles less so.
const FORMAT_BYTES_MAX: usize = 512;

typed! {
    TransferRequestMessage = "TransferRequestMessage";
    TransferStartMessage = "TransferStartMessage";
    TransferSuspensionMessage = "TransferSuspensionMessage";
    TransferCompletionMessage = "TransferCompletionMessage";
    TransferTerminationMessage = "TransferTerminationMessage";
    TransferProcess = "TransferProcess";
    TransferError = "TransferError";
    DataAddress = "DataAddress";
    EndpointProperty = "EndpointProperty";
}

/// Where data is fetched (pull) or sent (push). `endpointType` names the profile that gives the properties
/// meaning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataAddress {
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// The kind of endpoint, such as `https://w3id.org/idsa/v4.1/HTTP`.
    pub endpoint_type: String,
    /// The URL of the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// More about it, such as `authorization` and `authType`.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub endpoint_properties: Vec<EndpointProperty>,
}

impl DataAddress {
    /// The value of the first property called `name`.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.endpoint_properties
            .iter()
            .find(|property| property.name == name)
            .map(|property| property.value.as_str())
    }
}

/// One property of a [`DataAddress`]. Its value may be a secret, so `Debug` leaves it out.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointProperty {
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// Which property.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl EndpointProperty {
    /// A property with a value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: Is::new(), name: name.into(), value: value.into() }
    }
}

impl fmt::Debug for EndpointProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointProperty({}=…)", self.name)
    }
}

/// The consumer asks for the data of an agreement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferRequestMessage {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// `@id`, for replay detection.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The consumer's process.
    pub consumer_pid: ConsumerPid,
    /// The agreement that allows the transfer.
    pub agreement_id: SharedAgreementId,
    /// A format of one of the dataset's distributions.
    pub format: String,
    /// Where to send the data; only for push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
    /// Where the consumer takes messages.
    pub callback_address: String,
}

impl Wire for TransferRequestMessage {
    fn check(&self) -> Result<(), Malformed> {
        if self.format.len() > FORMAT_BYTES_MAX {
            let expected = format!("a format of at most {FORMAT_BYTES_MAX} bytes");
            return Err(Malformed::at("/format", expected));
        }
        Ok(())
    }
}

/// The provider starts, or either party resumes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferStartMessage {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// `@id`, for replay detection.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The provider's process.
    pub provider_pid: ProviderPid,
    /// The consumer's process.
    pub consumer_pid: ConsumerPid,
    /// Where to fetch the data; for pull.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<DataAddress>,
}

impl Wire for TransferStartMessage {}

/// Either party pauses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferSuspensionMessage {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// `@id`, for replay detection.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The provider's process.
    pub provider_pid: ProviderPid,
    /// The consumer's process.
    pub consumer_pid: ConsumerPid,
    /// A code that the sender defines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<Value>,
}

impl Wire for TransferSuspensionMessage {}

/// Either party says that all data has been transferred.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferCompletionMessage {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// `@id`, for replay detection.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The provider's process.
    pub provider_pid: ProviderPid,
    /// The consumer's process.
    pub consumer_pid: ConsumerPid,
}

impl Wire for TransferCompletionMessage {}

/// Either party ends the transfer before its completion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferTerminationMessage {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// `@id`, for replay detection.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The provider's process.
    pub provider_pid: ProviderPid,
    /// The consumer's process.
    pub consumer_pid: ConsumerPid,
    /// A code that the sender defines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<Value>,
}

impl Wire for TransferTerminationMessage {}

/// The state of a transfer: the answer to a request and to `GET`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferProcess {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// The provider's process.
    pub provider_pid: ProviderPid,
    /// The consumer's process.
    pub consumer_pid: ConsumerPid,
    /// The state as the answering party sees it.
    pub state: State,
}

impl Wire for TransferProcess {}

/// A refusal. The state of the transfer has not changed.
///
/// The schema requires both process ids even where no process exists; they are text here and may be empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferError {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// The provider's process.
    pub provider_pid: String,
    /// The consumer's process.
    pub consumer_pid: String,
    /// A code that the sender defines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<Value>,
}

impl Wire for TransferError {}

impl TransferError {
    /// A refusal with a code and a reason in words. Pass the process id of the path where the body had none.
    pub fn new(
        provider_pid: impl Into<String>,
        consumer_pid: impl Into<String>,
        code: &str,
        reason: &str,
    ) -> Self {
        Self {
            context: Context,
            kind: Is::new(),
            provider_pid: provider_pid.into(),
            consumer_pid: consumer_pid.into(),
            code: Some(code.to_owned()),
            reason: vec![Value::String(reason.to_owned())],
        }
    }
}
