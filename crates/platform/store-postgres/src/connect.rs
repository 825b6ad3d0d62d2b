//! From a URL to a pool of connections with the settings that the port promises.

use std::{path::PathBuf, time::Duration};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use heddle_store::StoreError;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::text;

/// How a database is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Most connections of this process, besides one that listens.
    pub connections_max: usize,
    /// How long to wait for a connection to be made.
    pub connect_wait: Duration,
    /// How long to wait for a connection to become free.
    pub pool_wait: Duration,
    /// The server breaks off a statement that takes longer.
    pub statement_wait: Duration,
    /// Refuses a server that runs with `fsync` off: what it acknowledges is lost when its machine crashes.
    pub fsync_required: bool,
    /// How long to wait without a word of other processes before looking for jobs and events, should it have been lost.
    pub safety_net: Duration,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub root_certificates: Option<PathBuf>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections_max: 16,
            connect_wait: Duration::from_secs(5),
            pool_wait: Duration::from_secs(10),
            statement_wait: Duration::from_secs(30),
            fsync_required: false,
            safety_net: Duration::from_secs(5),
            root_certificates: None,
        }
    }
}

/// How long a connection may be silent on the wire, with something to be acknowledged, before it counts as broken.
const GONE_WAIT: Duration = Duration::from_secs(15);

/// How much longer than the server's own limit a statement may take before the connection counts as broken.
const SILENCE_WAIT: Duration = Duration::from_secs(5);

impl PostgresOptions {
    /// How long anything may take that is done with a connection.
    pub(crate) fn patience(&self) -> Duration {
        self.statement_wait + SILENCE_WAIT
    }
}

/// Reads the URL. Its password is in none of the errors.
pub(crate) fn config(url: &str, options: &PostgresOptions) -> Result<Config, StoreError> {
    let mut config: Config = url.parse().map_err(|_| StoreError::Unusable {
        reason: "the database's URL cannot be read: expected postgresql://user:password@host:port/database"
            .to_owned(),
    })?;
    if config.get_application_name().is_none() {
        config.application_name("heddle");
    }
    config.connect_timeout(options.connect_wait);
    // A server whose host has vanished answers nothing at all: the kernel alone would wait for a quarter of an hour.
    config.tcp_user_timeout(GONE_WAIT);
    config.keepalives_idle(GONE_WAIT);
    Ok(config)
}

/// A pool; no connection is made yet.
pub(crate) fn pool(
    config: Config,
    tls: MakeRustlsConnect,
    connections_max: usize,
    options: &PostgresOptions,
) -> Result<Pool, StoreError> {
    let recycle = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, tls, recycle);
    let (settings, wait) = (settings(options), options.connect_wait);
    let set = Hook::async_fn(move |client, _| {
        let settings = settings.clone();
        Box::pin(async move {
            match tokio::time::timeout(wait, client.batch_execute(&settings)).await {
                Ok(set) => set.map_err(|e| HookError::message(text(&e))),
                Err(_) => Err(HookError::message("the server does not answer")),
            }
        })
    });
    Pool::builder(manager)
        .max_size(connections_max)
        .wait_timeout(Some(options.pool_wait))
        .create_timeout(Some(options.connect_wait))
        .runtime(Runtime::Tokio1)
        .post_create(set)
        .build()
        .map_err(|e| StoreError::Unusable { reason: format!("no pool of connections can be made: {e}") })
}

/// What every connection is set to, whatever the server's or the role's defaults are. A server that waits for its
/// replicas to apply goes on doing so.
fn settings(options: &PostgresOptions) -> String {
    format!(
        "SELECT set_config('synchronous_commit', 'on', false)
         WHERE current_setting('synchronous_commit') <> 'remote_apply';
         SET statement_timeout = {statement};
         SET idle_in_transaction_session_timeout = 60000;
         SET default_transaction_isolation = 'read committed';
         SET jit = off;",
        statement = options.statement_wait.as_millis()
    )
}
