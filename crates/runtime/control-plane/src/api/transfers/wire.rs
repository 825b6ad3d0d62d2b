//! Transfers as documents (Management API, schemas `transfer-request`, `transfer-process`, `terminate-transfer`,
//! `suspend-transfer`).

use heddle_clock::Timestamp;
use heddle_ids::{AgreementId, AssetId, ParticipantId, ProfileName, SharedAgreementId, TransferProcessId};
use heddle_web::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    api::{
        answer::Shown,
        counter_party::{check_address, profile_of},
        document::Described,
    },
    model::DataplaneMetadata,
    negotiation::role_name,
    transfer::{NewTransfer, TransferRecord},
};

/// Most callback addresses of one process.
const CALLBACKS_MAX: usize = 16;

/// What a consumer asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransferRequestDocument {
    #[serde(rename = "@id", default)]
    id: Option<TransferProcessId>,
    counter_party_address: String,
    #[serde(default)]
    profile: Option<ProfileName>,
    #[serde(default)]
    protocol: Option<ProfileName>,
    #[serde(alias = "agreementId")]
    contract_id: String,
    transfer_type: String,
    #[serde(default)]
    dataplane_metadata: DataplaneMetadata,
    #[serde(default)]
    callback_addresses: Vec<Value>,
    #[serde(default)]
    private_properties: Map<String, Value>,
}

impl Described for TransferRequestDocument {
    const TYPES: &'static [&'static str] = &["TransferRequest"];
}

impl TransferRequestDocument {
    /// The dataspace profile.
    pub(super) fn profile(&self) -> Result<ProfileName, Rejection> {
        profile_of(self.profile.as_ref(), self.protocol.as_ref())
    }

    /// The transfer to begin.
    pub(super) fn into_transfer(self) -> Result<NewTransfer, Rejection> {
        check_address(&self.counter_party_address)?;
        if self.transfer_type.is_empty() {
            return Err(Rejection::invalid("/transferType", "expected a format of the dataset, not ''"));
        }
        if self.callback_addresses.len() > CALLBACKS_MAX {
            let message = format!("at most {CALLBACKS_MAX} callback addresses are kept");
            return Err(Rejection::invalid("/callbackAddresses", message));
        }
        Ok(NewTransfer {
            id: self.id,
            counter_party_address: self.counter_party_address,
            contract: self.contract_id,
            transfer_type: self.transfer_type,
            metadata: self.dataplane_metadata,
            callback_addresses: self.callback_addresses,
            private_properties: self.private_properties,
        })
    }
}

/// Why a transfer is to end.
#[derive(Debug, Deserialize)]
pub(super) struct TerminateDocument {
    #[serde(default)]
    pub(super) reason: Option<String>,
}

impl Described for TerminateDocument {
    const TYPES: &'static [&'static str] = &["TerminateTransfer"];
}

/// Why a transfer is to pause.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SuspendDocument {
    #[serde(default)]
    pub(super) reason: Option<String>,
}

impl Described for SuspendDocument {
    const TYPES: &'static [&'static str] = &["SuspendTransfer"];
}

/// The state alone.
#[derive(Debug, Serialize)]
pub(super) struct StateBody {
    pub(super) state: &'static str,
}

/// A transfer as its owner sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransferBody<'a> {
    #[serde(rename = "@id")]
    id: &'a TransferProcessId,
    r#type: &'static str,
    protocol: &'a ProfileName,
    profile: &'a ProfileName,
    state: &'static str,
    state_timestamp: Timestamp,
    counter_party_id: &'a ParticipantId,
    counter_party_address: &'a str,
    callback_addresses: &'a [Value],
    private_properties: &'a Map<String, Value>,
    dataplane_metadata: &'a DataplaneMetadata,
    created_at: Timestamp,
    asset_id: &'a AssetId,
    contract_id: &'a AgreementId,
    agreement_id: &'a SharedAgreementId,
    transfer_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<String>,
}

/// What a client sees.
pub(super) fn shown(record: &TransferRecord) -> Shown<TransferBody<'_>> {
    let process = &record.process;
    let body = TransferBody {
        id: process.id(),
        r#type: role_name(process.role()),
        protocol: process.profile(),
        profile: process.profile(),
        state: record.management_state(),
        state_timestamp: process.changed_at(),
        counter_party_id: process.counter_party(),
        counter_party_address: process.counter_party_address(),
        callback_addresses: &record.callback_addresses,
        private_properties: &record.private_properties,
        dataplane_metadata: &record.metadata,
        created_at: process.created_at(),
        asset_id: process.dataset(),
        contract_id: &record.agreement,
        agreement_id: process.agreement_id(),
        transfer_type: process.format(),
        correlation_id: process.peer_pid().map(|pid| pid.as_str()),
        error_detail: record.error_detail(),
    };
    Shown::new(super::TYPE, body)
}
