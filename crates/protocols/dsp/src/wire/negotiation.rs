//! Messages of the contract negotiation protocol (DSP 2025-1 §"Contract Negotiation Protocol").

use heddle_ids::{ConsumerPid, MessageId, ProviderPid};
use heddle_odrl::{Policy, PolicyKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Context, Is, Malformed, Wire, context::typed, lists::one_or_many};
use crate::negotiation::State;

typed! {
    ContractRequestMessage = "ContractRequestMessage";
    ContractOfferMessage = "ContractOfferMessage";
    ContractAgreementMessage = "ContractAgreementMessage";
    ContractAgreementVerificationMessage = "ContractAgreementVerificationMessage";
    ContractNegotiationEventMessage = "ContractNegotiationEventMessage";
    ContractNegotiationTerminationMessage = "ContractNegotiationTerminationMessage";
    ContractNegotiation = "ContractNegotiation";
    ContractNegotiationError = "ContractNegotiationError";
}

/// Asks for an agreement: the consumer's first message or its counter-offer.
///
/// Exactly one of `callback_address` (first message) and `provider_pid` (counter-offer) is present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractRequestMessage {
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
    /// The provider's process; absent in the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_pid: Option<ProviderPid>,
    /// What the consumer asks for.
    pub offer: Policy,
    /// Where the consumer takes messages; only in the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_address: Option<String>,
}

impl Wire for ContractRequestMessage {
    fn check(&self) -> Result<(), Malformed> {
        exactly_one(self.callback_address.is_some(), self.provider_pid.is_some(), "providerPid")?;
        check_offer(&self.offer)
    }
}

/// Proposes terms: the provider's first message or its answer to a request.
///
/// Exactly one of `callback_address` (first message) and `consumer_pid` is present; the offer has a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractOfferMessage {
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
    /// The consumer's process; absent in the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer_pid: Option<ConsumerPid>,
    /// What the provider proposes.
    pub offer: Policy,
    /// Where the provider takes messages; only in the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_address: Option<String>,
}

impl Wire for ContractOfferMessage {
    fn check(&self) -> Result<(), Malformed> {
        exactly_one(self.callback_address.is_some(), self.consumer_pid.is_some(), "consumerPid")?;
        check_offer(&self.offer)?;
        match self.offer.target {
            Some(_) => Ok(()),
            None => Err(Malformed::at("/offer/target", "the dataset that the offer is about; it is missing")),
        }
    }
}

/// The provider agrees (to the last offer, whoever made it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractAgreementMessage {
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
    /// What both are bound to.
    pub agreement: Policy,
}

impl Wire for ContractAgreementMessage {
    fn check(&self) -> Result<(), Malformed> {
        if self.agreement.kind != PolicyKind::Agreement {
            return Err(Malformed::at("/agreement/@type", "\"Agreement\""));
        }
        self.agreement.validate().map_err(|invalid| Malformed::at("/agreement", invalid.to_string()))
    }
}

/// The consumer confirms the agreement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractAgreementVerificationMessage {
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

impl Wire for ContractAgreementVerificationMessage {}

/// What a [`ContractNegotiationEventMessage`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventType {
    /// The consumer accepts the provider's offer.
    Accepted,
    /// The provider has finalised the agreement.
    Finalized,
}

/// The consumer accepts an offer, or the provider finalises an agreement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractNegotiationEventMessage {
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
    /// Which event.
    pub event_type: EventType,
}

impl Wire for ContractNegotiationEventMessage {}

/// Either party ends the negotiation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractNegotiationTerminationMessage {
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

impl Wire for ContractNegotiationTerminationMessage {}

/// The state of a negotiation: the answer to a first message and to `GET`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractNegotiation {
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

impl Wire for ContractNegotiation {}

/// A refusal. The state of the negotiation has not changed.
///
/// The schema requires both process ids even where no process exists; they are text here and may be empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractNegotiationError {
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

impl Wire for ContractNegotiationError {}

impl ContractNegotiationError {
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

fn exactly_one(callback: bool, pid: bool, pid_member: &str) -> Result<(), Malformed> {
    match (callback, pid) {
        (true, false) | (false, true) => Ok(()),
        (false, false) => Err(Malformed::at(
            "",
            format!(
                "either 'callbackAddress' (first message) or '{pid_member}' (later message); both are missing"
            ),
        )),
        (true, true) => Err(Malformed::at(
            "",
            format!(
                "either 'callbackAddress' (first message) or '{pid_member}' (later message); both are present"
            ),
        )),
    }
}

fn check_offer(offer: &Policy) -> Result<(), Malformed> {
    if offer.kind != PolicyKind::Offer {
        return Err(Malformed::at("/offer/@type", "\"Offer\""));
    }
    offer.validate().map_err(|invalid| Malformed::at("/offer", invalid.to_string()))
}
