//! What the Identity API shows of the wallet.

use heddle_credentials::ParsedCredential;
use heddle_dcp::wire::CredentialObject;
use heddle_ids::ParticipantContextId;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    participant::HolderContext,
    wallet::{Credential, CredentialOffer, CredentialRequest, Wanted},
};

/// A stored credential.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct CredentialResource {
    id: String,
    participant_context_id: ParticipantContextId,
    timestamp: i64,
    issuer_id: String,
    holder_id: String,
    state: u16,
    time_of_last_status_update: Option<String>,
    issuance_policy: Option<Value>,
    reissuance_policy: Option<Value>,
    verifiable_credential: Container,
    metadata: Metadata,
    usage: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    raw_vc: String,
    format: &'static str,
    credential: Map<String, Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    holder_pid: String,
}

impl CredentialResource {
    pub(in crate::api) fn new(context: &HolderContext, credential: &Credential) -> Self {
        // What was stored was read before; a newer release that cannot read it any more still shows its text.
        let parsed = ParsedCredential::parse(&credential.raw);
        let inner = parsed.map(|parsed| parsed.credential().raw.clone()).unwrap_or_default();
        Self {
            id: credential.id.to_string(),
            participant_context_id: context.id.clone(),
            timestamp: credential.stored_at.as_millis(),
            issuer_id: credential.issuer.clone(),
            holder_id: context.did.to_string(),
            state: credential.state.code(),
            time_of_last_status_update: None,
            issuance_policy: None,
            reissuance_policy: None,
            verifiable_credential: Container {
                raw_vc: credential.raw.clone(),
                format: credential.format.enumeration_name(),
                credential: inner,
            },
            metadata: Metadata { holder_pid: credential.holder_pid.to_string() },
            usage: "Holder",
        }
    }
}

/// A credential request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct RequestResource {
    issuer_did: String,
    holder_pid: String,
    issuer_pid: Option<String>,
    status: &'static str,
    types_and_formats: Vec<TypeAndFormat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TypeAndFormat {
    id: Option<String>,
    credential_type: String,
    format: &'static str,
}

impl From<&Wanted> for TypeAndFormat {
    fn from(wanted: &Wanted) -> Self {
        Self {
            id: wanted.id.clone(),
            credential_type: wanted.credential_type.clone(),
            format: wanted.format.enumeration_name(),
        }
    }
}

impl From<&CredentialRequest> for RequestResource {
    fn from(request: &CredentialRequest) -> Self {
        Self {
            issuer_did: request.issuer_did.to_string(),
            holder_pid: request.holder_pid.to_string(),
            issuer_pid: request.issuer_pid.as_ref().map(ToString::to_string),
            status: request.state.name(),
            types_and_formats: request.wanted.iter().map(TypeAndFormat::from).collect(),
            reason: request.reason.clone(),
        }
    }
}

/// An offer of an issuer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct OfferResource<'a> {
    id: &'a str,
    issuer_did: &'a str,
    received_at: i64,
    credentials: &'a [CredentialObject],
}

impl<'a> From<&'a CredentialOffer> for OfferResource<'a> {
    fn from(offer: &'a CredentialOffer) -> Self {
        Self {
            id: &offer.id,
            issuer_did: offer.issuer_did.as_str(),
            received_at: offer.received_at.as_millis(),
            credentials: &offer.credentials,
        }
    }
}
