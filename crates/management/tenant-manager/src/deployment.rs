//! From an order to a participant profile: which dataspaces, which cell, which credentials. Pure.

use std::collections::BTreeMap;

use heddle_clock::{Environment, Timestamp};
use heddle_did::Did;
use heddle_ids::{CellId, DataspaceProfileId, OrchestrationId, ParticipantProfileId, TenantId, VpaId};

use crate::model::{
    Cell, CredentialSpec, DataspaceProfile, DeploymentState, ParticipantProfile, Properties, VPA_STATE,
    VPA_TYPES, Vpa,
};

/// An order for a participant profile.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) identifier: Did,
    /// The cell; where one of the dataspaces is deployed, when absent.
    pub(crate) cell: Option<String>,
    /// The dataspaces; all of the installation, when empty.
    pub(crate) dataspaces: Vec<String>,
    /// The roles in each dataspace.
    pub(crate) roles: BTreeMap<String, Vec<String>>,
    /// Properties for each type of agent.
    pub(crate) vpa_properties: BTreeMap<String, Properties>,
    pub(crate) properties: Properties,
}

/// Why an order cannot be carried out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CannotDeploy {
    #[error("the cell '{0}' is not active; name another cell, or none")]
    InactiveCell(String),
    #[error(
        "no active cell found that one of the dataspace profiles is deployed to; deploy one, or name a cell"
    )]
    NoCell,
    #[error("no dataspace profiles found; create one first")]
    NoProfile,
    #[error("there is no cell '{0}'")]
    UnknownCell(String),
    #[error("there is no dataspace profile '{0}'")]
    UnknownProfile(String),
}

/// Where an order goes.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) cell: Cell,
    pub(crate) dataspaces: Vec<DataspaceProfile>,
}

/// The ids that a new profile gets.
#[derive(Debug)]
pub(crate) struct NewIds {
    profile: ParticipantProfileId,
    orchestration: OrchestrationId,
    vpas: [VpaId; 4],
}

impl NewIds {
    /// Chosen by chance.
    pub(crate) fn random(environment: &Environment) -> Self {
        let (ms, random) = environment.id_parts();
        Self {
            profile: ParticipantProfileId::from_parts(ms, random),
            orchestration: new_orchestration(environment),
            vpas: std::array::from_fn(|_| {
                let (ms, random) = environment.id_parts();
                VpaId::from_parts(ms, random)
            }),
        }
    }
}

/// The id of an orchestration to be ordered.
pub(crate) fn new_orchestration(environment: &Environment) -> OrchestrationId {
    let (ms, random) = environment.id_parts();
    OrchestrationId::from_parts(ms, random)
}

/// The place of an order, out of all dataspace profiles and cells, each in the order of their age.
pub(crate) fn place(
    order: &Order,
    dataspaces: Vec<DataspaceProfile>,
    cells: Vec<Cell>,
) -> Result<Place, CannotDeploy> {
    let dataspaces = wanted(&order.dataspaces, dataspaces)?;
    let cell = match &order.cell {
        Some(id) => named(id, cells)?,
        None => suitable(&dataspaces, cells).ok_or(CannotDeploy::NoCell)?,
    };
    Ok(Place { cell, dataspaces })
}

fn wanted(ids: &[String], all: Vec<DataspaceProfile>) -> Result<Vec<DataspaceProfile>, CannotDeploy> {
    if let Some(unknown) = ids.iter().find(|id| !all.iter().any(|profile| profile.id.as_str() == *id)) {
        return Err(CannotDeploy::UnknownProfile(unknown.clone()));
    }
    let is_wanted = |id: &DataspaceProfileId| ids.is_empty() || ids.iter().any(|one| one == id.as_str());
    let wanted: Vec<_> = all.into_iter().filter(|profile| is_wanted(&profile.id)).collect();
    if wanted.is_empty() { Err(CannotDeploy::NoProfile) } else { Ok(wanted) }
}

fn named(id: &str, cells: Vec<Cell>) -> Result<Cell, CannotDeploy> {
    let cell = cells.into_iter().find(|cell| cell.id.as_str() == id);
    let cell = cell.ok_or_else(|| CannotDeploy::UnknownCell(id.to_owned()))?;
    if cell.is_active() { Ok(cell) } else { Err(CannotDeploy::InactiveCell(id.to_owned())) }
}

fn suitable(dataspaces: &[DataspaceProfile], cells: Vec<Cell>) -> Option<Cell> {
    let works_on = |cell: &CellId| dataspaces.iter().any(|profile| profile.is_active_on(cell));
    cells.into_iter().find(|cell| cell.is_active() && works_on(&cell.id))
}

/// The profile, with its agents pending.
pub(crate) fn profile(
    order: Order,
    tenant: TenantId,
    place: Place,
    ids: NewIds,
    now: Timestamp,
) -> ParticipantProfile {
    let Place { cell, dataspaces } = place;
    let mut vpa_properties = order.vpa_properties;
    let agent = |(vpa_type, id): (&&str, VpaId)| Vpa {
        id,
        version: 0,
        state: DeploymentState::Pending,
        state_since: now,
        vpa_type: (*vpa_type).to_owned(),
        cell_id: cell.id.clone(),
        external_cell_id: cell.external_id.clone(),
        properties: vpa_properties.remove(*vpa_type).unwrap_or_default(),
    };
    let vpas = VPA_TYPES.iter().zip(ids.vpas).map(agent).collect();
    let mut properties = order.properties;
    // It is what provisioning says, never what a client says.
    properties.remove(VPA_STATE);
    ParticipantProfile {
        id: ids.profile,
        identifier: order.identifier,
        tenant_id: tenant,
        credentials: credentials(&dataspaces, &order.roles),
        participant_roles: order.roles,
        runtime_profiles: dataspaces.iter().map(|profile| profile.runtime_name().to_owned()).collect(),
        issuer_contexts: issuer_contexts(&dataspaces),
        issuer_context: None,
        dataspace_profile_ids: dataspaces.into_iter().map(|profile| profile.id).collect(),
        vpas,
        properties,
        error: false,
        error_detail: None,
        orchestration: ids.orchestration,
        answered: None,
    }
}

/// The issuers that must know the participant; each once, even if several dataspaces share it.
fn issuer_contexts(dataspaces: &[DataspaceProfile]) -> Vec<String> {
    let mut contexts: Vec<String> = Vec::new();
    for context in dataspaces.iter().filter_map(DataspaceProfile::issuer_context) {
        if !contexts.iter().any(|known| known == context) {
            contexts.push(context.to_owned());
        }
    }
    contexts
}

/// What members of the dataspaces with these roles have; each once, even if several dataspaces ask for it.
fn credentials(
    dataspaces: &[DataspaceProfile],
    roles: &BTreeMap<String, Vec<String>>,
) -> Vec<CredentialSpec> {
    let mut credentials: Vec<CredentialSpec> = Vec::new();
    for profile in dataspaces {
        let own = roles.get(profile.id.as_str()).map_or(&[][..], Vec::as_slice);
        for spec in profile.dataspace_spec.credential_specs.iter().filter(|spec| spec.applies_to(own)) {
            if !credentials.contains(spec) {
                credentials.push(spec.clone());
            }
        }
    }
    credentials
}

#[cfg(test)]
mod tests;
