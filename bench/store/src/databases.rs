//! New, empty databases that are as durable as in production.

use std::{path::Path, sync::Arc};

use clap::ValueEnum;
use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_store::{Database, Store};
use heddle_store_postgres::{PostgresDatabase, PostgresOptions, testing::TestPostgres};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, ParticipantScope, ScopeIssuer};
use tempfile::TempDir;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// SQLite, `synchronous=FULL`.
    Sqlite,
    /// PostgreSQL on this machine, `fsync` and `synchronous_commit` on.
    Postgres,
}

impl Kind {
    /// Its name in the output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// An empty database, and what has to live as long.
pub struct Bench {
    /// The handle above the waist.
    pub store: Store,
    /// Mints the scopes.
    pub scopes: Arc<ScopeIssuer>,
    _folder: TempDir,
    server: Option<(TestPostgres, String)>,
}

impl Bench {
    /// A new database.
    #[expect(clippy::disallowed_methods, reason = "it plays the composition root")]
    pub async fn open(kind: Kind, parent: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(parent)?;
        let environment = Environment::system();
        let (database, server): (Arc<dyn Database>, _) = match kind {
            Kind::Sqlite => {
                let path = folder.path().join("heddle.db");
                (Arc::new(SqliteDatabase::open(path, &environment).await?), None)
            }
            Kind::Postgres => {
                let started = || {
                    let server = TestPostgres::start_durable();
                    let url = server.url();
                    (server, url)
                };
                let (server, url) = tokio::task::spawn_blocking(started).await?;
                let options = PostgresOptions { connections_max: 32, ..PostgresOptions::default() };
                let database = PostgresDatabase::connect(&url, &options, &environment).await?;
                (Arc::new(database), Some((server, url)))
            }
        };
        let store = Store::new(database, environment);
        Ok(Self { store, scopes: Arc::new(ScopeIssuer::new()), _folder: folder, server })
    }

    /// Everything of a participant context.
    pub fn participant(&self, id: &str) -> ParticipantScope {
        let id = ParticipantContextId::parse(id).expect("a name of this program is legal");
        self.scopes.participant(id, Actor::new("bench"))
    }

    /// Another handle of the same database, as another part of a process (or another process) has it: what it commits,
    /// a worker of this process has to look for.
    pub fn elsewhere(&self) -> Store {
        Store::new(self.store.database().clone(), self.store.environment().clone())
    }

    /// Does what autovacuum does within a minute: the statistics and the visibility map are up to date.
    pub fn settle(&self) {
        if let Some((server, url)) = &self.server {
            drop(server.administer(url, "VACUUM ANALYZE"));
        }
    }

    /// Closes the database.
    pub async fn close(self) {
        self.store.database().close().await;
    }
}
