//! The composition root: opens the foundation, puts the parts together, and takes them apart in the other order.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::Router;
use heddle_auth::{
    AudienceRule, Authenticator, ClientAuthentication, JwksUrl, NewClient, TokenService, TokenSettings,
    TrustedIssuer,
    endpoints::{self, JWKS_PATH},
};
use heddle_clock::Environment;
use heddle_ids::ClientId;
use heddle_outbound::{Outbound, OutboundConfig};
use heddle_store::{Database, RunningWorker, Store, Worker, WorkerLimits};
use heddle_store_postgres::{PostgresDatabase, PostgresOptions};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, OperatorScope, ScopeIssuer};
use heddle_vault::{EmbeddedVault, MasterKeySource, Vault};
use heddle_web::{ServerLimits, Shutdown, Stop};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

use crate::{
    api::{self, Table},
    passes::{Clients, Passes},
    returning::{self, Returning},
    settings::Settings,
    umpire::Credentials,
};

/// The `aud` of all tokens of a game, on both sides.
pub const AUDIENCE: &str = "pingpong";
/// The file with the umpire's credentials, in the data directory.
pub const UMPIRE_FILE: &str = "umpire.json";
/// How long requests and jobs under way may take when a server stops.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that answers.
pub struct Running {
    url: String,
    stop: Stop,
    listener: JoinHandle<()>,
    worker: RunningWorker,
    database: Arc<dyn Database>,
}

/// What both the endpoints and the jobs stand on.
struct Foundation {
    store: Store,
    scopes: Arc<ScopeIssuer>,
    operator: OperatorScope,
    vault: Arc<dyn Vault>,
    tokens: Arc<TokenService>,
    outbound: Outbound,
}

/// Opens the database that the settings name.
pub async fn open(settings: &Settings, environment: &Environment) -> anyhow::Result<Arc<dyn Database>> {
    Ok(match &settings.postgres_url {
        Some(url) => {
            Arc::new(PostgresDatabase::connect(url, &PostgresOptions::default(), environment).await?)
        }
        None => Arc::new(SqliteDatabase::open(settings.data_dir.join("pingpong.db"), environment).await?),
    })
}

/// Starts a server on an open database; returns when it answers.
pub async fn start(
    settings: &Settings,
    database: Arc<dyn Database>,
    environment: Environment,
) -> anyhow::Result<Running> {
    fs::create_dir_all(&settings.data_dir)
        .with_context(|| format!("the data directory {} cannot be made", settings.data_dir.display()))?;
    let foundation = Foundation::lay(settings, Store::new(database.clone(), environment)).await?;
    let umpire = foundation.umpire().await?;
    write_credentials(&settings.data_dir.join(UMPIRE_FILE), &settings.own_url(), &umpire)?;
    let (stop, shutdown) = Shutdown::pair();
    let router = foundation.router(settings, shutdown.clone());
    let socket = heddle_web::bind(settings.listen).await?;
    let worker = foundation.worker(settings).start();
    let limits = ServerLimits { drain_patience: PATIENCE, ..ServerLimits::default() };
    let listener = tokio::spawn(heddle_web::serve(socket, router, limits, shutdown));
    Ok(Running { url: settings.own_url(), stop, listener, worker, database })
}

impl Foundation {
    async fn lay(settings: &Settings, store: Store) -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "the composition root mints the one issuer")]
        let scopes = Arc::new(ScopeIssuer::new());
        let operator = scopes.operator(Actor::new("pingpong"));
        let master_key = MasterKeySource::Generated(settings.data_dir.join("master.key"));
        let vault: Arc<dyn Vault> =
            Arc::new(EmbeddedVault::open(store.clone(), &operator, &master_key).await?);
        let names = TokenSettings { issuer: settings.own_url(), audience: AUDIENCE.to_owned() };
        let tokens = TokenService::open(store.clone(), vault.clone(), scopes.clone(), names).await?;
        let config = OutboundConfig {
            // The operator has named the other side; where it is, is nobody else's choice.
            own_origins: vec![settings.opponent_url()],
            ..OutboundConfig::default()
        };
        let outbound = Outbound::new(config, store.environment().clone())?;
        Ok(Self { store, scopes, operator, vault, tokens: Arc::new(tokens), outbound })
    }

    fn clients(&self) -> Clients {
        let Self { store, vault, tokens, .. } = self;
        Clients { store: store.clone(), vault: vault.clone(), tokens: tokens.clone() }
    }

    /// Who may begin and watch every game.
    async fn umpire(&self) -> anyhow::Result<ClientAuthentication> {
        let new = NewClient::admin().with_scopes(vec!["pingpong-api:admin".to_owned()]);
        self.clients().obtain(&self.operator, ClientId::parse("umpire")?, new).await
    }

    /// The endpoints of the game, and those of the token service, where the other side finds our keys.
    fn router(&self, settings: &Settings, shutdown: Shutdown) -> Router {
        let opponent = settings.opponent_url();
        let keys = JwksUrl::new(format!("{opponent}{JWKS_PATH}"), self.outbound.clone());
        let audience = AudienceRule::Contains(AUDIENCE.to_owned());
        let issuers =
            vec![self.tokens.trusted_issuer(), TrustedIssuer::external(opponent, audience, Arc::new(keys))];
        let environment = self.store.environment().clone();
        let authenticator = Arc::new(Authenticator::new(self.scopes.clone(), issuers, environment));
        let opponent = settings.opponent_host();
        let table = Table { store: self.store.clone(), authenticator, opponent, shutdown };
        endpoints::router(self.tokens.clone()).nest(api::BASE, api::router(Arc::new(table)))
    }

    fn worker(&self, settings: &Settings) -> Worker {
        let returning = Returning {
            store: self.store.clone(),
            outbound: self.outbound.clone(),
            passes: Arc::new(Passes::new(self.clients())),
            opponent: settings.opponent_url(),
        };
        Worker::new(self.store.clone(), self.scopes.clone(), WorkerLimits::default())
            .handle(returning::KIND, Arc::new(returning))
    }
}

/// Only the server's user may read them.
fn write_credentials(path: &Path, url: &str, client: &ClientAuthentication) -> anyhow::Result<()> {
    let secret = client.client_secret.expose_text().unwrap_or_default().to_owned();
    let credentials =
        Credentials { url: url.to_owned(), client_id: client.client_id.clone(), client_secret: secret };
    let text = serde_json::to_vec_pretty(&credentials)?;
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(&text))
        .with_context(|| format!("the umpire's credentials cannot be written to {}", path.display()))
}

impl Running {
    /// The URL of this side.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops: no new requests, those under way and the jobs under way end, then the database is closed.
    pub async fn stop(self) {
        self.stop.stop();
        if let Err(error) = self.listener.await {
            tracing::error!(component = "pingpong", action = "stop", %error, "the listener ended badly");
        }
        self.worker.drain(PATIENCE).await;
        self.database.close().await;
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Returns when somebody asks for the end: SIGTERM or SIGINT.
///
/// # Errors
/// When the signals cannot be caught.
pub async fn end_asked() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
