//! From an order for a participant profile to the manifest of its provisioning. Pure.

use std::collections::BTreeMap;

use heddle_clock::Timestamp;
use heddle_ids::{DataspaceProfileId, ParticipantProfileId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{
    Cell, CredentialSpec, DataspaceProfile, DeploymentState, ParticipantProfile, Properties, VPA_STATE,
    VPA_TYPES, Vpa,
};

/// The orchestration by which a profile comes to be.
pub(crate) const DEPLOY: &str = "cfm.orchestration.vpa.deploy";
/// The orchestration by which it ends.
pub(crate) const DISPOSE: &str = "cfm.orchestration.vpa.dispose";

/// An order for a participant profile.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewParticipantProfile {
    /// The DID.
    pub(crate) identifier: String,
    /// The cell; any active one when absent.
    #[serde(default)]
    pub(crate) cell_id: Option<String>,
    /// The dataspaces; all when absent.
    #[serde(default)]
    pub(crate) dataspace_profile_ids: Vec<DataspaceProfileId>,
    #[serde(default)]
    pub(crate) participant_roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) vpa_properties: BTreeMap<String, Properties>,
    #[serde(default)]
    pub(crate) properties: Properties,
}

/// Why an order cannot be carried out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CannotDeploy {
    #[error("no dataspace profiles found; create one and name it in dataspaceProfileIds")]
    NoProfile,
    #[error("dataspace profile {0} not found")]
    UnknownProfile(String),
    #[error("no active cell found to which a deployment of the dataspace profiles exists")]
    NoCell,
    #[error("cell {0} is not active, or the dataspace profiles are not deployed to it")]
    ThisCell(String),
}

/// The dataspaces that an order is for, out of all.
pub(crate) fn chosen(
    order: &NewParticipantProfile,
    all: Vec<DataspaceProfile>,
) -> Result<Vec<DataspaceProfile>, CannotDeploy> {
    let wanted = &order.dataspace_profile_ids;
    if let Some(unknown) = wanted.iter().find(|id| !all.iter().any(|profile| profile.id == **id)) {
        return Err(CannotDeploy::UnknownProfile(unknown.to_string()));
    }
    let chosen: Vec<_> =
        all.into_iter().filter(|profile| wanted.is_empty() || wanted.contains(&profile.id)).collect();
    if chosen.is_empty() { Err(CannotDeploy::NoProfile) } else { Ok(chosen) }
}

/// The cell that a profile goes to.
pub(crate) fn cell_for(
    wanted: Option<&str>,
    cells: &[Cell],
    profiles: &[DataspaceProfile],
) -> Result<String, CannotDeploy> {
    let suits = |cell: &&Cell| {
        cell.state == DeploymentState::Active
            && profiles.iter().any(|profile| {
                profile.deployments.iter().any(|deployment| {
                    deployment.state == DeploymentState::Active && deployment.cell_id == cell.id
                })
            })
    };
    let wanted = wanted.filter(|id| !id.is_empty());
    let cell = cells.iter().filter(|cell| wanted.is_none_or(|id| cell.id == id)).find(suits);
    let missing = || wanted.map_or(CannotDeploy::NoCell, |id| CannotDeploy::ThisCell(id.to_owned()));
    cell.map(|cell| cell.id.clone()).ok_or_else(missing)
}

/// What a new profile is made of, beside its order.
pub(crate) struct Placement {
    pub(crate) id: ParticipantProfileId,
    pub(crate) tenant: TenantId,
    pub(crate) cell: String,
    pub(crate) profiles: Vec<DataspaceProfile>,
    pub(crate) orchestration: String,
    /// One id for each agent.
    pub(crate) vpa_ids: [String; 4],
}

/// The profile, with its agents pending.
pub(crate) fn profile(
    order: NewParticipantProfile,
    placement: Placement,
    now: Timestamp,
) -> ParticipantProfile {
    let Placement { id, tenant, cell, profiles, orchestration, vpa_ids } = placement;
    let mut properties = order.vpa_properties;
    let vpas = VPA_TYPES
        .iter()
        .zip(vpa_ids)
        .map(|(vpa_type, id)| Vpa {
            id,
            version: 0,
            state: DeploymentState::Pending,
            state_timestamp: now,
            vpa_type: (*vpa_type).to_owned(),
            cell_id: cell.clone(),
            properties: properties.remove(*vpa_type).unwrap_or_default(),
        })
        .collect();
    let credentials = profiles
        .iter()
        .flat_map(|profile| {
            let roles = order.participant_roles.get(profile.id.as_str());
            profile.dataspace_spec.credential_specs.iter().filter(move |spec| applies(spec, roles))
        })
        .cloned()
        .collect();
    ParticipantProfile {
        id,
        identifier: order.identifier,
        tenant_id: tenant,
        participant_roles: order.participant_roles,
        runtime_profiles: profiles.iter().map(|profile| profile.runtime_name().to_owned()).collect(),
        dataspace_profile_ids: profiles.into_iter().map(|profile| profile.id).collect(),
        credentials,
        vpas,
        properties: order.properties,
        error: false,
        error_detail: None,
        orchestration,
    }
}

/// Whether members with these roles have the credential.
fn applies(spec: &CredentialSpec, roles: Option<&Vec<String>>) -> bool {
    match &spec.role {
        None => true,
        Some(role) => roles.is_some_and(|roles| roles.contains(role)),
    }
}

/// An order to the Provision Manager (the payload of a job `provision.manifest`).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest<'a> {
    id: &'a str,
    correlation_id: &'a str,
    orchestration_type: &'static str,
    payload: Payload<'a>,
}

/// What agents read (the Connector Fabric Manager's keys, and ours: tenant and runtime profiles).
#[derive(Debug, Serialize)]
struct Payload<'a> {
    /// What deployment learned, for agents that read it at the top.
    #[serde(flatten)]
    learned: Map<String, Value>,
    #[serde(rename = "cfm.vpa.state", skip_serializing_if = "Option::is_none")]
    state: Option<&'a Value>,
    #[serde(rename = "cfm.participant.id")]
    identifier: &'a str,
    #[serde(rename = "cfm.tenant.id")]
    tenant: &'a TenantId,
    #[serde(rename = "cfm.vpa.data")]
    vpas: Vec<VpaData<'a>>,
    #[serde(rename = "cfm.vpa.credentials")]
    credentials: &'a [CredentialSpec],
    #[serde(rename = "cfm.dataspace.profiles")]
    runtime_profiles: &'a [String],
}

/// An agent, as the other agents read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VpaData<'a> {
    id: &'a str,
    vpa_type: &'a str,
    cell_id: &'a str,
    properties: &'a Properties,
}

impl<'a> From<&'a Vpa> for VpaData<'a> {
    fn from(vpa: &'a Vpa) -> Self {
        Self { id: &vpa.id, vpa_type: &vpa.vpa_type, cell_id: &vpa.cell_id, properties: &vpa.properties }
    }
}

/// The manifest by which `profile` is deployed or disposed of.
pub(crate) fn manifest<'a>(
    profile: &'a ParticipantProfile,
    orchestration_type: &'static str,
) -> Manifest<'a> {
    let state = profile.properties.get(VPA_STATE);
    let mut learned = state.and_then(Value::as_object).cloned().unwrap_or_default();
    // Nothing of it may stand where the profile speaks.
    learned.retain(|name, _| !name.starts_with("cfm."));
    let payload = Payload {
        learned,
        state,
        identifier: &profile.identifier,
        tenant: &profile.tenant_id,
        vpas: profile.vpas.iter().map(VpaData::from).collect(),
        credentials: &profile.credentials,
        runtime_profiles: &profile.runtime_profiles,
    };
    Manifest { id: &profile.orchestration, correlation_id: profile.id.as_str(), orchestration_type, payload }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(role: Option<&str>) -> CredentialSpec {
        let text = |text: &str| text.to_owned();
        CredentialSpec {
            id: text("membership"),
            credential_type: text("MembershipCredential"),
            issuer: text("did:web:issuer"),
            format: text("VC1_0_JWT"),
            role: role.map(text),
        }
    }

    #[test]
    fn a_role_decides_which_credentials_a_member_has() {
        let roles = vec!["manufacturer".to_owned()];
        assert!(applies(&spec(None), None));
        assert!(applies(&spec(Some("manufacturer")), Some(&roles)));
        assert!(!applies(&spec(Some("operator")), Some(&roles)));
        assert!(!applies(&spec(Some("manufacturer")), None));
    }

    #[test]
    fn a_cell_must_be_active_and_have_the_dataspace() {
        assert_eq!(cell_for(None, &[], &[]), Err(CannotDeploy::NoCell));
        assert_eq!(cell_for(Some("a"), &[], &[]), Err(CannotDeploy::ThisCell("a".to_owned())));
    }
}
