//! Dataspace profiles and where they are deployed.

use heddle_clock::Timestamp;
use heddle_ids::{CellId, DataspaceProfileId};
use heddle_store::Aggregate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DeploymentState, Properties};

/// The property that names the issuer's participant context.
const ISSUER_CONTEXT: &str = "issuerContextId";
/// The property that names the dataspace profile of the runtime.
pub(crate) const RUNTIME_PROFILE: &str = "profile";

/// A credential that members of a dataspace have. As JSON it is also an element of `cfm.vpa.credentials`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CredentialSpec {
    /// The issuer's credential definition.
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) credential_type: String,
    /// The issuer's DID.
    pub(crate) issuer: String,
    pub(crate) format: String,
    /// Only members with this role have it; empty is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
}

impl CredentialSpec {
    /// Whether members with these roles have the credential.
    pub(crate) fn applies_to(&self, roles: &[String]) -> bool {
        match self.role.as_deref() {
            None | Some("") => true,
            Some(role) => roles.iter().any(|own| own == role),
        }
    }
}

/// What a dataspace is made of, and what it asks of its members.
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
    pub(crate) state: DeploymentState,
    pub(crate) state_since: Timestamp,
    pub(crate) cell_id: CellId,
    #[serde(default)]
    pub(crate) external_cell_id: String,
}

/// A dataspace that tenants may join. Owned by the installation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataspaceProfile {
    pub(crate) id: DataspaceProfileId,
    pub(crate) dataspace_spec: DataspaceSpec,
    #[serde(default)]
    pub(crate) artifacts: Vec<String>,
    #[serde(default)]
    pub(crate) deployments: Vec<DataspaceDeployment>,
    #[serde(default)]
    pub(crate) properties: Properties,
}

impl DataspaceProfile {
    /// The name by which the runtime knows it: its property `profile`, else its id.
    pub(crate) fn runtime_name(&self) -> &str {
        self.properties.get(RUNTIME_PROFILE).and_then(Value::as_str).unwrap_or(self.id.as_str())
    }

    /// The participant context of its issuer at the issuer service, from its property `issuerContextId`.
    pub(crate) fn issuer_context(&self) -> Option<&str> {
        self.properties.get(ISSUER_CONTEXT).and_then(Value::as_str)
    }

    /// Whether it is deployed to the cell, in whatever state.
    pub(crate) fn is_on(&self, cell: &CellId) -> bool {
        self.deployments.iter().any(|deployment| deployment.cell_id == *cell)
    }

    /// Whether it works on the cell.
    pub(crate) fn is_active_on(&self, cell: &CellId) -> bool {
        let active = |deployment: &&DataspaceDeployment| deployment.state == DeploymentState::Active;
        self.deployments.iter().filter(active).any(|deployment| deployment.cell_id == *cell)
    }
}

impl Aggregate for DataspaceProfile {
    const KIND: &'static str = "tm-dataspace-profile";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}
