//! From an order for a participant profile to the manifest of its provisioning. Pure.

use std::collections::BTreeMap;

use heddle_clock::Timestamp;
use heddle_ids::{DataspaceProfileId, ParticipantProfileId, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

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
    payload: Map<String, Value>,
}

/// The manifest by which `profile` is deployed or disposed of.
pub(crate) fn manifest<'a>(
    profile: &'a ParticipantProfile,
    orchestration_type: &'static str,
) -> Manifest<'a> {
    let vpas: Vec<Value> = profile
        .vpas
        .iter()
        .map(|vpa| {
            json!({"id": vpa.id, "vpaType": vpa.vpa_type, "cellId": vpa.cell_id, "properties": vpa.properties})
        })
        .collect();
    // What deployment learned comes first: nothing of it may replace what the profile says.
    let state = profile.properties.get(VPA_STATE).and_then(Value::as_object);
    let mut payload = state.cloned().unwrap_or_default();
    if let Some(state) = state {
        payload.insert(VPA_STATE.to_owned(), Value::Object(state.clone()));
    }
    let values = [
        ("cfm.participant.id", json!(profile.identifier)),
        ("cfm.tenant.id", json!(profile.tenant_id)),
        ("cfm.vpa.data", Value::Array(vpas)),
        ("cfm.vpa.credentials", json!(profile.credentials)),
        ("cfm.dataspace.profiles", json!(profile.runtime_profiles)),
    ];
    payload.extend(values.map(|(name, value)| (name.to_owned(), value)));
    Manifest { id: &profile.orchestration, correlation_id: profile.id.as_str(), orchestration_type, payload }
}
