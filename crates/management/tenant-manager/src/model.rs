//! What the Tenant Manager keeps.

use std::collections::BTreeMap;

use heddle_clock::Timestamp;
use heddle_ids::{DataspaceProfileId, ParticipantProfileId, TenantId};
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Any properties.
pub(crate) type Properties = Map<String, Value>;

/// Where provisioning keeps what it learned, among a profile's properties.
pub(crate) const VPA_STATE: &str = "cfm.vpa.state";

/// The four virtual participant agents that each profile has.
pub(crate) const VPA_TYPES: [&str; 4] =
    ["cfm.connector", "cfm.credentialservice", "cfm.dataplane", "cfm.issuer"];

/// Where a deployment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DeploymentState {
    Initial,
    Pending,
    Active,
    Disposing,
    Disposed,
    Locked,
    Offline,
    Error,
}

/// Times as the Connector Fabric Manager writes them (RFC 3339).
pub(crate) mod rfc3339 {
    use heddle_clock::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::parse_rfc3339(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// An organisation that is a customer of the installation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    #[serde(default)]
    pub(crate) properties: Properties,
}

impl Tenant {
    /// Directory rows by which tenants are listed.
    pub(crate) const DIRECTORY: &'static str = "tenant";
}

impl Aggregate for Tenant {
    const KIND: &'static str = "tenant";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// A place where runtimes run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cell {
    pub(crate) id: String,
    pub(crate) external_id: String,
    pub(crate) state: DeploymentState,
    #[serde(with = "rfc3339")]
    pub(crate) state_timestamp: Timestamp,
    #[serde(default)]
    pub(crate) properties: Properties,
}

impl Aggregate for Cell {
    const KIND: &'static str = "cell";

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Columns {
        let unique_key = (!self.external_id.is_empty()).then(|| self.external_id.clone());
        Columns { unique_key, ..Columns::default() }
    }
}

/// A credential that members of a dataspace have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CredentialSpec {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) credential_type: String,
    pub(crate) issuer: String,
    pub(crate) format: String,
    /// Only members with this role have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
}

/// What a dataspace asks of its members.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataspaceSpec {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) protocol_stack: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) credential_specs: Vec<CredentialSpec>,
}

/// A dataspace profile on a cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataspaceDeployment {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) version: u64,
    pub(crate) state: DeploymentState,
    #[serde(with = "rfc3339")]
    pub(crate) state_timestamp: Timestamp,
    pub(crate) cell_id: String,
    pub(crate) external_cell_id: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) properties: Properties,
}

/// A dataspace that tenants may join.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataspaceProfile {
    pub(crate) id: DataspaceProfileId,
    pub(crate) dataspace_spec: DataspaceSpec,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) artifacts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) deployments: Vec<DataspaceDeployment>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) properties: Properties,
}

impl DataspaceProfile {
    /// The name by which the runtime knows it: its property `profile`, else its id.
    pub(crate) fn runtime_name(&self) -> &str {
        self.properties.get("profile").and_then(Value::as_str).unwrap_or(self.id.as_str())
    }
}

impl Aggregate for DataspaceProfile {
    const KIND: &'static str = "tm-dataspace-profile";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// A virtual participant agent: a share of a runtime that works for one profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vpa {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) version: u64,
    pub(crate) state: DeploymentState,
    #[serde(with = "rfc3339")]
    pub(crate) state_timestamp: Timestamp,
    #[serde(rename = "type")]
    pub(crate) vpa_type: String,
    pub(crate) cell_id: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) properties: Properties,
}

/// One identity of a tenant, in one or more dataspaces.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParticipantProfile {
    pub(crate) id: ParticipantProfileId,
    /// The DID.
    pub(crate) identifier: String,
    pub(crate) tenant_id: TenantId,
    #[serde(default)]
    pub(crate) participant_roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) dataspace_profile_ids: Vec<DataspaceProfileId>,
    /// What it asks issuers for.
    #[serde(default)]
    pub(crate) credentials: Vec<CredentialSpec>,
    /// The runtime's names of its dataspaces.
    #[serde(default)]
    pub(crate) runtime_profiles: Vec<String>,
    pub(crate) vpas: Vec<Vpa>,
    #[serde(default)]
    pub(crate) properties: Properties,
    #[serde(default)]
    pub(crate) error: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error_detail: Option<String>,
    /// The orchestration that was ordered last.
    pub(crate) orchestration: String,
}

impl ParticipantProfile {
    /// Brings all its agents into a state.
    pub(crate) fn enter(&mut self, state: DeploymentState, now: Timestamp) {
        for vpa in &mut self.vpas {
            vpa.state = state;
            vpa.state_timestamp = now;
            vpa.version += 1;
        }
    }

    /// Whether all its agents are in `state`.
    pub(crate) fn is(&self, state: DeploymentState) -> bool {
        self.vpas.iter().all(|vpa| vpa.state == state)
    }
}

impl Aggregate for ParticipantProfile {
    const KIND: &'static str = "participant-profile";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}
