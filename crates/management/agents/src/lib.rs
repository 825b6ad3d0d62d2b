//! The shipped activity agents. Each calls one service's Administration API over HTTP, with the agents' own token.
//!
//! | type | service | deploy | dispose |
//! | --- | --- | --- | --- |
//! | `edcv-activity` | control plane | participant, configuration, dataspace profiles | deletes the participant |
//! | `identityhub-activity` | credential service | participant with key and DID | deletes the participant |
//! | `registration-activity` | issuer service | registers the holder | deletes the holder |
//! | `onboarding-activity` | credential service | requests credentials, waits for them | nothing: the participant goes |
//! | `dataplane-activity` | data plane, control plane | registers each with the other | withdraws both |
//!
//! The types' names are the Connector Fabric Manager's, whose templates may be used as they are.
//!
//! Deliberately absent: the engine (the Provision Manager has it).

mod control_plane;
mod credential_service;
mod data_plane;
mod feed;
mod onboarding;
mod registration;
mod removal;
mod settings;
mod wire;

use std::sync::Arc;

use heddle_agent::{ActivityAgent, AdminClient};

pub use settings::{AgentsConfig, DEFAULT_ISSUER, PlaneClient};

/// All shipped agents.
#[must_use]
pub fn all(client: &AdminClient, config: AgentsConfig) -> Vec<Arc<dyn ActivityAgent>> {
    let config = Arc::new(config);
    vec![
        Arc::new(control_plane::ControlPlaneAgent::new(client.clone(), config.clone())),
        Arc::new(credential_service::CredentialServiceAgent::new(client.clone(), config.clone())),
        Arc::new(registration::RegistrationAgent::new(client.clone(), config.clone())),
        Arc::new(onboarding::OnboardingAgent::new(client.clone(), config.clone())),
        Arc::new(data_plane::DataPlaneAgent::new(client.clone(), config)),
    ]
}
