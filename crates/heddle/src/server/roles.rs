//! Builds the roles that the configuration names, and wires them to one another through the ports.

use std::{path::PathBuf, sync::Arc};

use axum::Router;
use heddle_agent::{ActivityAgent, AdminClient, AdminCredentials, agent_jobs};
use heddle_agents::{AgentsConfig, DEFAULT_ISSUER, PlaneClient};
use heddle_auth::SelfIssuedTokens;
use heddle_control_plane::{ControlPlane, Patience};
use heddle_credential_service::CredentialService;
use heddle_data_plane::{DataPlane, DirectoryBlobs};
use heddle_ids::{ParticipantContextId, ParticipantId};
use heddle_issuer_service::IssuerService;
use heddle_provision_manager::ProvisionManager;
use heddle_store::{Worker, WorkerLimits};
use heddle_tenancy::{DevelopmentMode, StaticPeers};
use heddle_tenant_manager::TenantManager;
use heddle_web::{InFlight, Plain, Shutdown, Surface};

use super::{
    audit,
    bootstrap::{ServiceClient, ServiceClients},
    clients, dead_jobs,
    foundation::Foundation,
    keys, operations,
    running::StartError,
};
use crate::config::{Configuration, DatabaseSettings, Group, Role};

/// Largest upload, in bytes.
const UPLOAD_BYTES_MAX: u64 = 1 << 40;

/// Everything that a started process runs.
pub struct Built {
    pub router: Router,
    pub worker: Worker,
}

/// Most requests at the token service at a time.
const TOKEN_REQUESTS_MAX: usize = 256;

/// The endpoints of the token service: every process has them, and all see the same clients and keys.
fn token_service(foundation: &Foundation) -> Router {
    Surface::<Plain>::new("token-service", foundation.environment.clone())
        .in_flight(InFlight::new(TOKEN_REQUESTS_MAX))
        .around(heddle_auth::endpoints::router(foundation.tokens.clone()))
}

/// What roles are built from.
struct Builder<'a> {
    configuration: &'a Configuration,
    foundation: &'a Foundation,
    clients: &'a ServiceClients,
    shutdown: &'a Shutdown,
}

/// Builds the roles.
pub async fn build(
    configuration: &Configuration,
    foundation: &Arc<Foundation>,
    clients: &ServiceClients,
    shutdown: &Shutdown,
) -> Result<Built, StartError> {
    operations::start_metrics();
    let mut router = operations::routes(configuration, foundation, shutdown.clone())
        .merge(token_service(foundation))
        .merge(clients::routes(foundation))
        .merge(operations::master_key_routes(foundation))
        .merge(dead_jobs::routes(foundation))
        .merge(audit::routes(foundation))
        .merge(keys::routes(foundation));
    let mut worker =
        Worker::new(foundation.store.clone(), foundation.scopes.clone(), WorkerLimits::default());
    worker = foundation.tokens.jobs(worker).await?;
    let builder = Builder { configuration, foundation, clients, shutdown };
    let has = |role| configuration.roles.contains(&role);
    // The keys of participants lie in the vault, so any process can prove them; the role decides who answers.
    let credentials = builder.credential_service();
    if has(Role::CredentialService) {
        router = router.merge(credentials.router()).fallback_service(credentials.did_documents());
        worker = credentials.jobs(worker);
    }
    if has(Role::IssuerService) {
        let service = builder.issuer_service(credentials.self_issued_tokens());
        (router, worker) = (router.merge(service.router()), service.jobs(worker));
    }
    if has(Role::ControlPlane) {
        let plane = builder.control_plane(credentials.self_issued_tokens())?;
        (router, worker) = (router.merge(plane.router()), plane.jobs(worker));
    }
    if has(Role::DataPlane) {
        let plane = builder.data_plane().await?;
        (router, worker) = (router.merge(plane.router()), plane.jobs(worker));
    }
    if has(Role::TenantManager) {
        let manager = builder.tenant_manager();
        (router, worker) = (router.merge(manager.router()), manager.jobs(worker));
    }
    if has(Role::ProvisionManager) {
        let manager = builder.provision_manager();
        (router, worker) = (router.merge(manager.router()), manager.jobs(worker));
    }
    if has(Role::Agents) {
        worker = agent_jobs(&foundation.store, worker, builder.agents());
    }
    Ok(Built { router, worker })
}

impl Builder<'_> {
    fn credential_service(&self) -> Arc<CredentialService> {
        let foundation = self.foundation;
        CredentialService::new(heddle_credential_service::Parts {
            store: foundation.store.clone(),
            environment: foundation.environment.clone(),
            scopes: foundation.scopes.clone(),
            authenticator: foundation.authenticator.clone(),
            token_service: Some(foundation.tokens.clone()),
            vault: foundation.vault.clone(),
            outbound: foundation.outbound.clone(),
            resolver: foundation.resolver.clone(),
            public_url: foundation.public_url.clone(),
            shutdown: self.shutdown.clone(),
        })
    }

    fn issuer_service(&self, tokens: Arc<dyn SelfIssuedTokens>) -> Arc<IssuerService> {
        let foundation = self.foundation;
        IssuerService::new(heddle_issuer_service::Parts {
            store: foundation.store.clone(),
            environment: foundation.environment.clone(),
            scopes: foundation.scopes.clone(),
            authenticator: foundation.authenticator.clone(),
            vault: foundation.vault.clone(),
            tokens,
            outbound: foundation.outbound.clone(),
            resolver: foundation.resolver.clone(),
            public_url: foundation.public_url.clone(),
            settings: heddle_issuer_service::Settings::default(),
        })
    }

    fn control_plane(&self, tokens: Arc<dyn SelfIssuedTokens>) -> Result<Arc<ControlPlane>, StartError> {
        let foundation = self.foundation;
        Ok(ControlPlane::new(heddle_control_plane::Parts {
            store: foundation.store.clone(),
            environment: foundation.environment.clone(),
            scopes: foundation.scopes.clone(),
            authenticator: foundation.authenticator.clone(),
            vault: foundation.vault.clone(),
            outbound: foundation.outbound.clone(),
            resolver: foundation.resolver.clone(),
            tokens,
            static_peers: static_peers(self.configuration)?,
            public_url: foundation.public_url.clone(),
            shutdown: self.shutdown.clone(),
            patience: Patience {
                attempts: self.configuration.peers.attempts,
                restarts: self.configuration.peers.restarts,
                ..Patience::default()
            },
        }))
    }

    async fn data_plane(&self) -> Result<Arc<DataPlane>, StartError> {
        let foundation = self.foundation;
        let root: PathBuf = match &self.configuration.blob_dir {
            Some(path) => path.clone(),
            None => foundation.data_dir.blobs(),
        };
        let blobs = DirectoryBlobs::new(root, foundation.environment.clone());
        let plane = DataPlane::new(heddle_data_plane::Parts {
            store: foundation.store.clone(),
            environment: foundation.environment.clone(),
            scopes: foundation.scopes.clone(),
            authenticator: foundation.authenticator.clone(),
            vault: foundation.vault.clone(),
            outbound: foundation.outbound.clone(),
            blobs: Arc::new(blobs),
            public_url: foundation.public_url.clone(),
            upload_bytes_max: UPLOAD_BYTES_MAX,
        })
        .await?;
        if matches!(self.configuration.database, DatabaseSettings::Postgres { .. }) {
            // Other processes change flows too.
            let (plane, shutdown) = (plane.clone(), self.shutdown.clone());
            tokio::spawn(async move { plane.follow(shutdown).await });
        }
        Ok(plane)
    }

    fn tenant_manager(&self) -> Arc<TenantManager> {
        let foundation = self.foundation;
        TenantManager::new(heddle_tenant_manager::Parts {
            store: foundation.store.clone(),
            environment: foundation.environment.clone(),
            scopes: foundation.scopes.clone(),
            authenticator: foundation.authenticator.clone(),
            shutdown: self.shutdown.clone(),
        })
    }

    fn provision_manager(&self) -> Arc<ProvisionManager> {
        let foundation = self.foundation;
        ProvisionManager::new(heddle_provision_manager::Parts {
            store: foundation.store.clone(),
            environment: foundation.environment.clone(),
            scopes: foundation.scopes.clone(),
            authenticator: foundation.authenticator.clone(),
        })
    }

    fn agents(&self) -> Vec<Arc<dyn ActivityAgent>> {
        let (foundation, settings) = (self.foundation, &self.configuration.agents);
        let there = |group| self.configuration.http.url_of(group, &foundation.public_url).into_owned();
        let token_endpoint = format!("{}/oauth/token", there(Group::Tokens));
        let client = AdminClient::new(
            foundation.internal.clone(),
            AdminCredentials {
                token_endpoint: token_endpoint.clone(),
                client_id: self.clients.agents.id.clone(),
                client_secret: self.clients.agents.secret.expose_text().unwrap_or_default().to_owned(),
            },
        );
        let at = |url: &Option<String>, group| url.clone().unwrap_or_else(|| there(group));
        let config = AgentsConfig {
            control_plane_url: at(&settings.control_plane_url, Group::Management),
            credential_service_url: at(&settings.credential_service_url, Group::Identity),
            issuer_service_url: at(&settings.issuer_service_url, Group::Issuer),
            signaling_url: at(&settings.control_plane_url, Group::Signaling),
            data_plane_url: at(&settings.data_plane_url, Group::DataPlane),
            public_url: foundation.public_url.clone(),
            issuer_context: DEFAULT_ISSUER.to_owned(),
            token_endpoint,
            control_plane: plane_client(&self.clients.control_plane),
            data_plane: plane_client(&self.clients.data_plane),
        };
        heddle_agents::all(&client, config)
    }
}

fn plane_client(client: &ServiceClient) -> PlaneClient {
    PlaneClient { id: client.id.clone(), secret: client.secret.expose_text().unwrap_or_default().to_owned() }
}

/// The table of the `static` identity service; only in development.
fn static_peers(configuration: &Configuration) -> Result<Option<StaticPeers>, StartError> {
    let table = &configuration.static_identity;
    if !configuration.development || (table.accepts.is_empty() && table.sends.is_empty()) {
        return Ok(None);
    }
    let wrong = |what: String| StartError::Setting(format!("static identity: {what}"));
    let accepts = table.accepts.iter().map(|(value, id)| {
        let id = ParticipantId::parse(id.clone()).map_err(|error| wrong(error.to_string()))?;
        Ok((value.clone(), id))
    });
    let sends = table.sends.iter().map(|(context, value)| {
        let context = ParticipantContextId::parse(context).map_err(|error| wrong(error.to_string()))?;
        Ok((context, value.clone()))
    });
    #[expect(clippy::disallowed_methods, reason = "the configuration says development = true")]
    let development = DevelopmentMode::new();
    let accepts = accepts.collect::<Result<_, StartError>>()?;
    Ok(Some(StaticPeers::new(&development, accepts, sends.collect::<Result<_, StartError>>()?)))
}
