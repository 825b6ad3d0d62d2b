//! A database that cannot be reached when a server starts is waited for.
//!
//! Meanwhile the address of the server answers: alive, not ready, and everything else later. Whoever starts it sees
//! why it waits, once and then now and then. A database that refuses us (a wrong password, a newer schema) is no
//! reason to wait: that needs a person.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::Router;
use heddle_clock::Environment;
use heddle_store::StoreError;
use heddle_web::{
    Plain, Refused, Rejection, Shutdown, Stop, Surface,
    health::{self, Check},
};
use tokio::{task::JoinHandle, time::Instant};

use super::{
    foundation::Database,
    running::{StartError, open},
};
use crate::config::{Configuration, DatabaseSettings};

/// The wait before the second attempt; the next ones double, up to [`WAIT_MAX`].
const WAIT_FIRST: Duration = Duration::from_millis(250);
/// Longest wait between two attempts: so much later than the database the server is ready at most.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// How often the log is told that there is still no database.
const TOLD_EVERY: Duration = Duration::from_secs(30);
/// After which time clients should ask again.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long answers under way may take when the database is there.
const DRAIN: Duration = Duration::from_secs(1);

/// Opens the database that a configuration names, as soon as it can be reached.
pub async fn open_when_there(
    configuration: &Configuration,
    environment: &Environment,
) -> Result<Database, StartError> {
    let mut reason = match open(configuration, environment).await {
        Err(StartError::Store(StoreError::Unavailable { reason })) if may_come(configuration) => reason,
        other => return other,
    };
    let stand_in = StandIn::listen(configuration, environment).await?;
    let (mut wait, mut told) = (WAIT_FIRST, None::<Instant>);
    loop {
        if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            told = Some(Instant::now());
            tracing::warn!(
                component = "server",
                action = "wait",
                reason,
                "the database is not there; the server waits for it and goes on by itself"
            );
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAIT_MAX);
        match open(configuration, environment).await {
            Err(StartError::Store(StoreError::Unavailable { reason: again })) => reason = again,
            opened => {
                stand_in.leave().await;
                if opened.is_ok() {
                    tracing::info!(component = "server", action = "wait", "the database is there");
                }
                return opened;
            }
        }
    }
}

/// An embedded database comes from nowhere else.
fn may_come(configuration: &Configuration) -> bool {
    matches!(configuration.database, DatabaseSettings::Postgres { .. })
}

/// What listens at the server's address until the server does.
struct StandIn(Option<(Stop, JoinHandle<()>)>);

struct Missing;

#[async_trait]
impl Check for Missing {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        Err("it is waited for".to_owned())
    }
}

impl StandIn {
    async fn listen(configuration: &Configuration, environment: &Environment) -> Result<Self, StartError> {
        if configuration.listen.port() == 0 {
            // Whatever port it got, the server would get another.
            return Ok(Self(None));
        }
        let socket = heddle_web::bind(configuration.listen).await?;
        let (stop, shutdown) = Shutdown::pair();
        let later = || async {
            let what = "The server waits for its database. Try again later.";
            Refused::<Plain>::from(Rejection::unavailable(what, RETRY_AFTER))
        };
        let checks: Vec<Arc<dyn Check>> = vec![Arc::new(Missing)];
        let health = health::routes(checks, env!("CARGO_PKG_VERSION"), shutdown.clone());
        let router = Surface::<Plain>::new("waiting", environment.clone())
            .quiet()
            .around(Router::new().merge(health).fallback(later));
        let limits =
            heddle_web::ServerLimits { drain_patience: DRAIN, ..heddle_web::ServerLimits::default() };
        Ok(Self(Some((stop, tokio::spawn(heddle_web::serve(socket, router, limits, shutdown))))))
    }

    /// Makes room for the server.
    async fn leave(mut self) {
        if let Some((stop, task)) = self.0.take() {
            stop.stop();
            if let Err(error) = task.await {
                tracing::error!(component = "server", action = "wait", %error, "the stand-in ended badly");
            }
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.0 {
            task.abort();
        }
    }
}
