//! What the Tenant Manager keeps. What clients see of it is in `api`.

mod cell;
mod dataspace;
mod participant_profile;
mod state;
mod tenant;

pub(crate) use cell::Cell;
pub(crate) use dataspace::{
    CredentialSpec, DataspaceDeployment, DataspaceProfile, DataspaceSpec, RUNTIME_PROFILE,
};
pub(crate) use participant_profile::{ParticipantProfile, VPA_STATE, VPA_TYPES, Vpa};
pub(crate) use state::DeploymentState;
pub(crate) use tenant::Tenant;

/// Properties of any kind, as a client gave them.
pub(crate) type Properties = serde_json::Map<String, serde_json::Value>;
