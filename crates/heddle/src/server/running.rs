//! A server from start to stop.

use std::{
    convert::Infallible,
    future::pending,
    ops::ControlFlow,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use heddle_clock::Environment;
use heddle_store::{RunningWorker, Store, StoreError};
use heddle_tenancy::{Actor, OperatorScope, ScopeIssuer};
use heddle_vault::EmbeddedVault;
use heddle_web::Shutdown;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};

use super::{
    audit::Sealer,
    bootstrap::{self, ServiceClients},
    clock,
    data_dir::{DataDir, DataDirError},
    foundation::{self, Database, Foundation},
    listener::{Bound, Listeners},
    roles, sampler, sweeper, waiting,
};
use crate::{
    config::{Configuration, DatabaseSettings, Role},
    home::Credentials,
};

/// Why a server does not start. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The first clients cannot be made.
    #[error("{what} cannot be made, because others keep making it; start again")]
    Bootstrap {
        /// Which.
        what: String,
    },
    /// The address.
    #[error(transparent)]
    Bind(#[from] heddle_web::BindError),
    /// A client of the token service.
    #[error(transparent)]
    Client(#[from] heddle_auth::ClientError),
    /// The data directory.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// A file.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The HTTP client.
    #[error(transparent)]
    Outbound(#[from] heddle_outbound::InvalidConfig),
    /// The public URL differs from the one of the first start.
    #[error(
        "the public URL is {fixed} since the first start, because it is part of every DID and status list; \
         {given} cannot take its place. Start with the old one, or with another data directory"
    )]
    PublicUrl {
        /// Since the first start.
        fixed: String,
        /// Now.
        given: String,
    },
    /// The configuration names something that is not an id.
    #[error("{0}")]
    Setting(String),
    /// The signals that end a server.
    #[error("SIGTERM and SIGINT cannot be caught: {0}")]
    Signals(std::io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token service.
    #[error(transparent)]
    Tokens(#[from] heddle_auth::TokenServiceError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] heddle_vault::VaultError),
    /// A certificate.
    #[error(transparent)]
    Tls(#[from] heddle_web::TlsError),
    /// A role.
    #[error("the role {role} does not start: {reason}")]
    Role {
        /// Which.
        role: Role,
        /// Why not.
        reason: String,
    },
}

/// How long a server in production works on after it was told to stop: about what load balancers need to notice.
const LEAVE: Duration = Duration::from_secs(5);

/// A running server.
pub struct Running {
    url: String,
    configuration: Configuration,
    data_dir: DataDir,
    credentials: Option<Credentials>,
    worker: RunningWorker,
    sweeper: JoinHandle<()>,
    sealer: JoinHandle<Sealer>,
    sampler: JoinHandle<()>,
    listeners: Listeners,
    router: axum::Router,
    database: Database,
}

/// Starts a server; returns when it answers.
pub async fn start(configuration: Configuration) -> Result<Running, StartError> {
    let ControlFlow::Continue(running) = start_unless(configuration, pending::<Infallible>()).await?;
    Ok(running)
}

/// Starts a server; returns when it answers, or without one as soon as `broken_off` returns: a database may let
/// us wait, for instance, and whoever started this may change his mind.
pub async fn start_unless<T>(
    configuration: Configuration,
    broken_off: impl Future<Output = T>,
) -> Result<ControlFlow<T, Running>, StartError> {
    let mut broken_off = pin!(broken_off);
    let environment = Environment::system();
    let database = tokio::select! {
        opened = waiting::open_when_there(&configuration, &environment) => opened?,
        why = &mut broken_off => return Ok(ControlFlow::Break(why)),
    };
    let data_dir = configuration.data_dir.clone();
    let started = tokio::select! {
        started = start_on(configuration, &data_dir, database.clone(), environment) => started.map(ControlFlow::Continue),
        why = &mut broken_off => Ok(ControlFlow::Break(why)),
    };
    if !matches!(started, Ok(ControlFlow::Continue(_))) {
        // As after a run that ended well: the directory is left as it was found.
        close(&database).await;
    }
    started
}

/// Opens the database that a configuration names.
pub async fn open(configuration: &Configuration, environment: &Environment) -> Result<Database, StartError> {
    let data_dir = DataDir::open(&configuration.data_dir)?;
    foundation::open_database(configuration, &data_dir, environment).await
}

/// Opens the database and the vault of an installation, and nothing else of it, for `work`: what an operator does beside
/// running servers, or while none runs.
pub async fn with_vault<T>(
    configuration: &Configuration,
    work: impl AsyncFnOnce(&EmbeddedVault, &OperatorScope) -> T,
) -> Result<T, StartError> {
    let environment = Environment::system();
    let data_dir = DataDir::open(&configuration.data_dir)?;
    let database = foundation::open_database(configuration, &data_dir, &environment).await?;
    let store = Store::new(database.clone(), environment);
    #[expect(clippy::disallowed_methods, reason = "whoever reads the master key's file is the installation")]
    let operator = ScopeIssuer::new().operator(Actor::new("command line"));
    let done = match foundation::open_vault(configuration, &data_dir, (&store, &operator)).await {
        Ok(vault) => Ok(work(&vault, &operator).await),
        Err(error) => Err(error.into()),
    };
    close(&database).await;
    done
}

/// Starts a server on a database that is open already.
pub async fn start_on(
    mut configuration: Configuration,
    data_dir: &Path,
    database: Database,
    environment: Environment,
) -> Result<Running, StartError> {
    let data_dir = DataDir::open(data_dir)?;
    let store = Store::new(database.clone(), environment);
    #[expect(clippy::disallowed_methods, reason = "the composition root mints the one issuer")]
    let scopes = Arc::new(ScopeIssuer::new());
    let operator = scopes.operator(Actor::new("server"));
    let known = foundation::known_public_url(&store, &operator).await?;
    prefer_known_port(&mut configuration, known.as_deref());
    let bound = Bound::bind(&mut configuration).await?;
    let public_url = configuration.public_url.clone().unwrap_or_else(|| bound.url());
    // Before the URL is fixed: a start without the right master key leaves nothing behind.
    let vault = foundation::open_vault(&configuration, &data_dir, (&store, &operator)).await?;
    foundation::fix_public_url(&store, &operator, &public_url).await?;
    let foundation =
        Foundation::build(&configuration, data_dir.clone(), (store, scopes, vault), public_url.clone())
            .await?;
    let foundation = Arc::new(foundation);
    foundation::index(&foundation).await?;
    let credentials = bootstrap::operator_credentials(&foundation).await?;
    let clients = ServiceClients::obtain(&foundation).await?;
    let (stop, shutdown) = Shutdown::pair();
    let built = roles::build(&configuration, &foundation, &clients, &shutdown).await?;
    let sealer = Sealer::begin(foundation.store.clone(), data_dir.audit_checkpoint()).await;
    let environment = &foundation.environment;
    let listeners = bound.serve(&built.router, &configuration, environment, (stop, shutdown.clone()))?;
    // From here on nothing waits any more: no start that is broken off leaves these behind.
    let sweeper = tokio::spawn(sweeper::sweep(foundation.store.clone(), shutdown.clone()));
    tokio::spawn(clock::watch(foundation.environment.clone(), shutdown.clone()));
    let sealer = tokio::spawn(sealer.run(shutdown.clone()));
    let every = configuration.telemetry.census_interval;
    let sampler = tokio::spawn(sampler::sample(foundation.store.clone(), every, shutdown.clone()));
    let worker = built.worker.start();
    tracing::info!(component = "server", action = "start", url = public_url, "the server answers");
    Ok(Running {
        url: public_url,
        configuration,
        data_dir,
        credentials,
        worker,
        sweeper,
        sealer,
        sampler,
        listeners,
        router: built.router,
        database,
    })
}

/// In development the port of the first start is kept, unless another one was asked for: it is part of the URL.
fn prefer_known_port(configuration: &mut Configuration, known: Option<&str>) {
    let known = known.and_then(|url| url::Url::parse(url).ok());
    let port = known.and_then(|url| url.port_or_known_default());
    if let Some(port) = port
        && configuration.public_url.is_none()
        && (configuration.listen.port() == 0 || !configuration.port_was_given)
    {
        configuration.listen.set_port(port);
    }
}

impl Running {
    /// The public URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that is answered, before each listener keeps to its own paths: tests read the list of routes from it.
    pub fn router(&self) -> &axum::Router {
        &self.router
    }

    /// Where state is kept.
    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    /// Where the operator's generated credentials lie, if they still do.
    pub fn credentials_file(&self) -> Option<PathBuf> {
        self.credentials.is_some().then(|| self.data_dir.credentials())
    }

    /// The operator's generated credentials.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The roles that run.
    pub fn roles(&self) -> &[Role] {
        &self.configuration.roles
    }

    /// Which database.
    pub fn database(&self) -> &'static str {
        match self.configuration.database {
            DatabaseSettings::Sqlite => "sqlite",
            DatabaseSettings::Postgres { .. } => "postgres",
        }
    }

    /// Whether it runs for development.
    pub fn is_development(&self) -> bool {
        self.configuration.development
    }

    /// Leaves, then stops. Until `hurry` returns, and at most as long as the configuration says, everything goes on, but
    /// whoever asks is told that this process is not ready: requests are sent elsewhere before the listeners are closed.
    pub async fn depart(self, hurry: impl Future<Output = ()>) {
        self.listeners.leave();
        let usual = if self.configuration.development { Duration::ZERO } else { LEAVE };
        let patience = self.configuration.http.leave.unwrap_or(usual);
        tracing::info!(
            component = "server",
            action = "leave",
            seconds = patience.as_secs(),
            "the server leaves"
        );
        // Either will do.
        drop(tokio::time::timeout(patience, hurry).await);
        self.stop().await;
    }

    /// Stops: no new requests, those under way and the jobs under way end, then the database is closed.
    pub async fn stop(self) {
        let patience = self.configuration.drain_patience;
        self.listeners.stop().await;
        drop(self.router);
        self.worker.drain(patience).await;
        for (name, task) in [("sweeper", self.sweeper), ("sampler", self.sampler)] {
            if let Err(error) = task.await {
                tracing::error!(component = "server", action = "stop", %error, "the {name} ended badly");
            }
        }
        match self.sealer.await {
            Ok(sealer) => sealer.finish().await,
            Err(error) => {
                tracing::error!(component = "server", action = "stop", %error, "the sealer ended badly");
            }
        }
        close(&self.database).await;
        tracing::info!(component = "server", action = "stop", "the server has stopped");
    }
}

async fn close(database: &Database) {
    if tokio::time::timeout(Duration::from_secs(5), database.close()).await.is_err() {
        tracing::warn!(component = "server", action = "stop", "the database did not close in time");
    }
}

/// SIGTERM and SIGINT, caught from here on: what they would have ended is ended in order.
pub struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    /// Catches them; before a server starts, so that none ends it in the middle of a commit.
    pub fn catch() -> Result<Self, StartError> {
        let caught = |kind| signal(kind).map_err(StartError::Signals);
        Ok(Self { terminate: caught(SignalKind::terminate())?, interrupt: caught(SignalKind::interrupt())? })
    }

    /// Returns when one has come.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[tokio::test]
    async fn a_start_that_is_broken_off_closes_the_database() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut configuration =
            config::parse("", Path::new("heddle.toml"), folder.path()).expect("the defaults are legal");
        configuration.development = true;
        configuration.listen.set_port(0);
        let write_ahead_log = configuration.data_dir.join("heddle.db-wal");
        // It is made when the database is open, and long before the server answers.
        let master_key = configuration.data_dir.join("master.key");
        let broken_off = async {
            while !master_key.exists() {
                tokio::task::yield_now().await;
            }
        };
        let started = start_unless(configuration, broken_off).await.expect("nothing fails");
        assert!(started.is_break(), "it started before it could be broken off");
        assert!(!write_ahead_log.exists(), "a closed database leaves one file");
    }
}
