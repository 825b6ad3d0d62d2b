//! Bodies of the Administration APIs that the agents call.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const MANAGEMENT_CONTEXT: [&str; 1] = ["https://w3id.org/edc/connector/management/v2"];

/// `POST …/v5beta/participants`.
#[derive(Serialize)]
pub(crate) struct NewParticipantContext<'a> {
    #[serde(rename = "@context")]
    context: [&'static str; 1],
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "@id")]
    id: &'a str,
    identity: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    properties: Map<String, Value>,
}

impl<'a> NewParticipantContext<'a> {
    pub(crate) fn new(id: &'a str, identity: &'a str, tenant: Option<&'a str>) -> Self {
        Self {
            context: MANAGEMENT_CONTEXT,
            kind: "ParticipantContext",
            id,
            identity,
            state: "ACTIVATED",
            tenant,
            properties: Map::new(),
        }
    }
}

/// `PATCH …/participants/{ctx}/config`.
#[derive(Serialize)]
pub(crate) struct Configuration<'a> {
    #[serde(rename = "@context")]
    context: [&'static str; 1],
    #[serde(rename = "@type")]
    kind: &'static str,
    entries: ConfigurationEntries<'a>,
}

/// The names are those of the reference, so that what reads a participant's configuration finds its identity there.
#[derive(Serialize)]
struct ConfigurationEntries<'a> {
    #[serde(rename = "edc.iam.issuer.id")]
    issuer: &'a str,
    #[serde(rename = "edc.participant.id")]
    participant: &'a str,
}

impl<'a> Configuration<'a> {
    pub(crate) const fn new(did: &'a str) -> Self {
        let entries = ConfigurationEntries { issuer: did, participant: did };
        Self { context: MANAGEMENT_CONTEXT, kind: "ParticipantContextConfig", entries }
    }
}

/// `PUT …/participants/{ctx}/profiles`.
#[derive(Serialize)]
pub(crate) struct AssociateProfiles<'a> {
    #[serde(rename = "@context")]
    context: [&'static str; 1],
    #[serde(rename = "@type")]
    kind: &'static str,
    profiles: &'a [String],
}

impl<'a> AssociateProfiles<'a> {
    pub(crate) const fn new(profiles: &'a [String]) -> Self {
        Self { context: MANAGEMENT_CONTEXT, kind: "AssociateDataspaceProfile", profiles }
    }
}

/// `POST …/identity/v1beta/participants`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParticipantManifest<'a> {
    pub(crate) participant_context_id: &'a str,
    pub(crate) did: &'a str,
    pub(crate) active: bool,
    pub(crate) keys: Vec<KeyDescriptor>,
    pub(crate) service_endpoints: Vec<ServiceEndpoint>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyDescriptor {
    pub(crate) key_id: String,
    pub(crate) private_key_alias: &'static str,
    pub(crate) key_generator_params: KeyGenerator,
}

#[derive(Serialize)]
pub(crate) struct KeyGenerator {
    pub(crate) algorithm: &'static str,
    pub(crate) curve: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceEndpoint {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) service_endpoint: String,
}

/// `POST …/admin/v1beta/participants/{issuer}/holders`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewHolder<'a> {
    pub(crate) holder_id: &'a str,
    pub(crate) did: &'a str,
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) properties: Map<String, Value>,
}

/// One element of `cfm.vpa.credentials`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct CredentialSpec {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) issuer: String,
    pub(crate) format: String,
}

/// `POST …/identity/v1beta/participants/{ctx}/credentials/request`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialRequest<'a> {
    pub(crate) issuer_did: &'a str,
    pub(crate) holder_pid: &'a str,
    pub(crate) credentials: Vec<RequestedCredential<'a>>,
}

#[derive(Serialize)]
pub(crate) struct RequestedCredential<'a> {
    pub(crate) format: &'a str,
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    pub(crate) id: &'a str,
}

/// `GET …/credentials/request/{holderPid}`.
#[derive(Deserialize)]
pub(crate) struct CredentialRequestStatus {
    pub(crate) status: String,
}

/// `PUT …/participants/{ctx}/dataplanes` of the control plane.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataPlaneRegistration<'a> {
    pub(crate) dataplane_id: &'a str,
    pub(crate) endpoint: String,
    pub(crate) transfer_types: [&'static str; 1],
    pub(crate) labels: [&'static str; 0],
    pub(crate) authorization: PlaneAuthorization<'a>,
}

/// `PUT …/controlplanes` of the data plane.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ControlPlaneRegistration<'a> {
    pub(crate) controlplane_id: &'a str,
    pub(crate) endpoint: String,
    pub(crate) authorization: PlaneAuthorization<'a>,
}

/// How one plane gets its tokens for the other (DPS authorization profile `oauth2_client_credentials`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlaneAuthorization<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    token_endpoint: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
}

impl<'a> PlaneAuthorization<'a> {
    pub(crate) fn new(token_endpoint: &'a str, client: &'a crate::PlaneClient) -> Self {
        Self {
            kind: "oauth2_client_credentials",
            token_endpoint,
            client_id: &client.id,
            client_secret: &client.secret,
        }
    }
}
