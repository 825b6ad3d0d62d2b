//! Negotiations as documents (Management API, schemas `contract-request`, `contract-negotiation`,
//! `contract-terminate`).

use heddle_clock::Timestamp;
use heddle_ids::{AgreementId, AssetId, NegotiationId, ParticipantId, ProfileName};
use heddle_odrl::{Policy, PolicyKind};
use heddle_web::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    api::{
        answer::Shown,
        counter_party::{check_address, profile_of},
        document::Described,
    },
    negotiation::{NegotiationRecord, NewNegotiation, role_name},
};

/// Most callback addresses of one process.
const CALLBACKS_MAX: usize = 16;

/// What a consumer asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContractRequestDocument {
    counter_party_address: String,
    #[serde(default)]
    profile: Option<ProfileName>,
    #[serde(default)]
    protocol: Option<ProfileName>,
    policy: Policy,
    #[serde(default)]
    callback_addresses: Vec<Value>,
}

impl Described for ContractRequestDocument {
    const TYPES: &'static [&'static str] = &["ContractRequest"];
}

impl ContractRequestDocument {
    /// The dataspace profile.
    pub(super) fn profile(&self) -> Result<ProfileName, Rejection> {
        profile_of(self.profile.as_ref(), self.protocol.as_ref())
    }

    /// The negotiation to begin.
    pub(super) fn into_negotiation(self) -> Result<NewNegotiation, Rejection> {
        check_address(&self.counter_party_address)?;
        let policy = self.policy;
        if policy.kind != PolicyKind::Offer {
            return Err(Rejection::invalid("/policy/@type", "expected 'Offer'"));
        }
        policy.validate().map_err(|invalid| Rejection::invalid("/policy", invalid.to_string()))?;
        if policy.target.as_deref().is_none_or(str::is_empty) {
            return Err(Rejection::invalid(
                "/policy/target",
                "the offer must name the dataset that it is for",
            ));
        }
        let assigner = policy.assigner.clone().unwrap_or_default();
        let counter_party = ParticipantId::parse(assigner).map_err(|error| {
            Rejection::invalid("/policy/assigner", format!("expected the provider's id: {error}"))
        })?;
        if self.callback_addresses.len() > CALLBACKS_MAX {
            let message = format!("at most {CALLBACKS_MAX} callback addresses are kept");
            return Err(Rejection::invalid("/callbackAddresses", message));
        }
        Ok(NewNegotiation {
            counter_party_address: self.counter_party_address,
            counter_party,
            offer: policy,
            callback_addresses: self.callback_addresses,
        })
    }
}

/// Why a negotiation is to end.
#[derive(Debug, Deserialize)]
pub(super) struct TerminateDocument {
    #[serde(default)]
    pub(super) reason: Option<String>,
}

impl Described for TerminateDocument {
    const TYPES: &'static [&'static str] = &["TerminateNegotiation"];
}

/// The state alone.
#[derive(Debug, Serialize)]
pub(super) struct StateBody {
    pub(super) state: &'static str,
}

/// A negotiation as its owner sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct NegotiationBody<'a> {
    #[serde(rename = "@id")]
    id: &'a NegotiationId,
    r#type: &'static str,
    protocol: &'a ProfileName,
    profile: &'a ProfileName,
    state: &'static str,
    state_timestamp: Timestamp,
    counter_party_id: &'a ParticipantId,
    counter_party_address: &'a str,
    callback_addresses: &'a [Value],
    created_at: Timestamp,
    asset_id: &'a AssetId,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract_agreement_id: Option<&'a AgreementId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<String>,
}

/// What a client sees.
pub(in crate::api) fn shown(record: &NegotiationRecord) -> Shown<NegotiationBody<'_>> {
    let process = &record.process;
    let body = NegotiationBody {
        id: process.id(),
        r#type: role_name(process.role()),
        protocol: process.profile(),
        profile: process.profile(),
        state: record.management_state(),
        state_timestamp: process.changed_at(),
        counter_party_id: process.counter_party(),
        counter_party_address: process.counter_party_address(),
        callback_addresses: &record.callback_addresses,
        created_at: process.created_at(),
        asset_id: process.dataset(),
        correlation_id: process.peer_pid().map(|pid| pid.as_str()),
        contract_agreement_id: record.agreement.as_ref(),
        error_detail: record.error_detail(),
    };
    Shown::new(super::TYPE, body)
}
