//! The port.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use heddle_clock::{Environment, Timestamp};
use heddle_store::{
    Batch, Census, ClaimRequest, ClaimedJob, Database, DeadJob, DeadJobQuery, Event, EventCursor, EventQuery,
    Lease, PoolUse, Published, Receipt, Signals, Snapshot, StoreError,
    audit::{AuditHead, AuditLog},
};
use heddle_tenancy::{Access, Directory, Owner};
use rusqlite::params;
use tempfile::TempDir;

use crate::{
    SqliteAudit, audit, batch, census, claim, connection, dead,
    error::{at_open, of_file},
    events, indexing, migration,
    process_lock::ProcessLock,
    readers::Readers,
    snapshot::SqliteSnapshot,
    writer::{Moved, Writer, in_group},
};

/// An open SQLite database.
///
/// The file belongs to this process until [`Database::close`] has ended or this is dropped, which waits for what
/// was queued.
#[derive(Debug)]
pub struct SqliteDatabase {
    writer: Writer,
    readers: Arc<Readers>,
    audit: SqliteAudit,
    signals: Signals,
}

impl SqliteDatabase {
    /// Opens the file at `path`, creates it (and its directory) if it is absent, and brings its schema up to
    /// date. Leases of an earlier process are freed: it cannot be alive.
    ///
    /// # Errors
    /// `Unusable` when the file or its directory cannot be written, is no database, is in use by another process,
    /// or has a schema that this release does not know.
    pub async fn open(path: impl AsRef<Path>, environment: &Environment) -> Result<Self, StoreError> {
        Self::open_in(path.as_ref().to_owned(), environment.now(), None).await
    }

    /// A database in a new directory that is deleted with it.
    ///
    /// # Errors
    /// `Unusable` when there is no place for temporary files.
    pub async fn temporary(environment: &Environment) -> Result<Self, StoreError> {
        let directory = tempfile::Builder::new().prefix("heddle-").tempdir().map_err(|e| {
            StoreError::Unusable { reason: format!("no directory for a temporary database can be made: {e}") }
        })?;
        let path = directory.path().join("heddle.db");
        Self::open_in(path, environment.now(), Some(directory)).await
    }

    pub(crate) async fn sqlite_snapshot(&self, access: &Access) -> Result<SqliteSnapshot, StoreError> {
        Ok(SqliteSnapshot::new(self.readers.reader().await?, access))
    }

    async fn open_in(path: PathBuf, now: Timestamp, temporary: Option<TempDir>) -> Result<Self, StoreError> {
        let opened = tokio::task::spawn_blocking(move || {
            if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
                std::fs::create_dir_all(directory)
                    .map_err(|e| of_file(&path, "cannot have its directory created", &e))?;
            }
            let lock = ProcessLock::take(&path)?;
            let mut connection = connection::writer(&path)?;
            let prepared = migration::run(&mut connection, now).and_then(|()| claim::free_all(&connection));
            prepared.map_err(|error| at_open(&path, error))?;
            let signals = Signals::default();
            let temporary = temporary.map(Arc::new);
            let writer = Writer::start(connection, (lock, temporary.clone()), signals.clone())?;
            let readers = Readers::new(path, temporary);
            Ok(Self { writer, audit: SqliteAudit(readers.clone()), readers, signals })
        });
        opened.await.unwrap_or_else(|_| {
            Err(StoreError::Unusable { reason: "opening the database was broken off".to_owned() })
        })
    }
}

#[async_trait]
impl Database for SqliteDatabase {
    async fn snapshot(&self, access: Access) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(self.sqlite_snapshot(&access).await?))
    }

    async fn commit(&self, access: Access, batch: Batch) -> Result<Receipt, StoreError> {
        self.writer.run(move |connection| batch::apply(connection, &access, batch)).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<ClaimedJob>, StoreError> {
        let look = request.clone();
        if !self.readers.read(move |connection| claim::would_find(connection, &look)).await? {
            return Ok(Vec::new());
        }
        self.writer.run(move |connection| Ok((claim::claim(connection, &request)?, Moved::default()))).await
    }

    async fn extend(&self, leases: &[Lease], until: Timestamp) -> Result<Vec<Lease>, StoreError> {
        let leases = leases.to_vec();
        self.writer
            .run(move |connection| Ok((claim::extend(connection, &leases, until)?, Moved::default())))
            .await
    }

    async fn next_due(&self, kinds: &[String], after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let kinds = kinds.to_vec();
        self.readers.read(move |connection| claim::next_due(connection, &kinds, after)).await
    }

    async fn dead_jobs(&self, query: DeadJobQuery) -> Result<Vec<DeadJob>, StoreError> {
        self.readers.read(move |connection| dead::dead_jobs(connection, &query)).await
    }

    async fn events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError> {
        self.readers.read(move |connection| events::events(connection, &query)).await
    }

    async fn newest_event(&self) -> Result<EventCursor, StoreError> {
        self.readers.read(events::newest).await
    }

    async fn lookup(&self, _: Directory, kind: &str, key: &str) -> Result<Option<Published>, StoreError> {
        let (kind, key) = (kind.to_owned(), key.to_owned());
        self.readers.read(move |connection| events::lookup(connection, &kind, &key)).await
    }

    async fn published(
        &self,
        _: Directory,
        kind: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Published>, StoreError> {
        let (kind, after) = (kind.to_owned(), after.map(str::to_owned));
        self.readers
            .read(move |connection| events::published(connection, &kind, after.as_deref(), limit))
            .await
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let now = now.as_millis();
        self.writer
            .run(move |connection| {
                let sql = "DELETE FROM nonce WHERE (owner, value) IN (
                         SELECT owner, value FROM nonce WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
                let nonces = in_group(connection.execute(sql, params![now, limit]))?;
                let sql = "DELETE FROM aggregate WHERE (owner, kind, id) IN (
                         SELECT owner, kind, id FROM aggregate
                         WHERE kind IN ('answer', 'denial') AND due_at <= ?1 ORDER BY due_at LIMIT ?2)";
                let rows = in_group(connection.execute(sql, params![now, limit]))?;
                Ok(((nonces + rows) as u64, Moved::default()))
            })
            .await
    }

    async fn seal_audit(&self, limit: u32) -> Result<Option<AuditHead>, StoreError> {
        self.writer.run(move |connection| Ok((audit::seal(connection, limit)?, Moved::default()))).await
    }

    fn audit_log(&self) -> &dyn AuditLog {
        &self.audit
    }

    async fn owners_to_index(&self, kinds: &[&'static str], limit: u32) -> Result<Vec<Owner>, StoreError> {
        let kinds = kinds.to_vec();
        self.readers.read(move |connection| indexing::owners(connection, &kinds, limit)).await
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }

    fn system(&self) -> &'static str {
        "sqlite"
    }

    async fn census(&self, now: Timestamp) -> Result<Census, StoreError> {
        self.readers.read(move |connection| census::census(connection, now)).await
    }

    fn pools(&self) -> Vec<PoolUse> {
        self.readers.in_use()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.writer
            .run(|connection| {
                in_group(connection.query_row("SELECT 1", [], |row| row.get::<_, i64>(0)))?;
                Ok(((), Moved::default()))
            })
            .await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests;
