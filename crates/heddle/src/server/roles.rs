//! Builds the roles that the configuration names, and wires them to one another through the ports.

use std::{collections::BTreeMap, sync::Arc};

use axum::Router;
use heddle_agents::{Agents, AgentsConfig};
use heddle_control_plane::ControlPlane;
use heddle_credential_service::CredentialService;
use heddle_data_plane::DataPlane;
use heddle_ids::{ParticipantContextId, ParticipantId};
use heddle_issuer_service::IssuerService;
use heddle_provision_manager::ProvisionManager;
use heddle_store::{Worker, WorkerLimits};
use heddle_tenancy::{DevelopmentMode, StaticPeers};
use heddle_tenant_manager::TenantManager;
use heddle_web::Shutdown;

use super::{bootstrap::ServiceClients, clients, foundation::Foundation, operations, running::StartError};
use crate::config::{Configuration, Role};

/// Everything that a started process runs.
pub struct Built {
    pub router: Router,
    pub worker: Worker,
}
