//! The handle that everybody above the waist holds.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use heddle_clock::Environment;
use heddle_tenancy::{Directory, Scope};

use crate::{
    DEAD_JOBS_MAX, Database, DeadJob, DeadJobQuery, Event, EventCursor, EventQuery, Published, Signals,
    StoreError, Transaction,
    audit::{AuditQuery, AuditState, SealedRecord},
    worker::Dispatcher,
};

/// A database and the environment that commits are stamped with. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) database: Arc<dyn Database>,
    pub(crate) environment: Environment,
    pub(crate) dispatcher: Arc<OnceLock<Dispatcher>>,
}

impl Store {
    /// Over an open database.
    pub fn new(database: Arc<dyn Database>, environment: Environment) -> Self {
        Self { database, environment, dispatcher: Arc::new(OnceLock::new()) }
    }

    /// Begins a transaction of what `scope` opens. Nothing is sent to the database before the first read.
    pub fn begin<'s>(&self, scope: &'s dyn Scope) -> Transaction<'s> {
        Transaction::new(self.clone(), scope)
    }

    /// Looks up a published row.
    pub async fn lookup(&self, kind: &str, key: &str) -> Result<Option<Published>, StoreError> {
        if !can_be_stored(key) {
            return Ok(None);
        }
        self.database.lookup(Directory, kind, key).await
    }

    /// Published rows of a kind in the order of their keys, after `after`.
    pub async fn published(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Published>, StoreError> {
        self.database.published(Directory, kind, after, limit).await
    }

    /// Events of the owner that `scope` opens, after `after`, oldest first. A scope that is narrowed to a
    /// counter-party sees none.
    pub async fn events(
        &self,
        scope: &dyn Scope,
        after: EventCursor,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let access = scope.access();
        if access.counter_party().is_some() {
            return Ok(Vec::new());
        }
        let owners = crate::EventOwners::One(access.owner().clone());
        self.database.events(EventQuery { owners, after, limit }).await
    }

    /// Events of the management plane, for an operator.
    pub async fn management_events(
        &self,
        _operator: &heddle_tenancy::OperatorScope,
        after: EventCursor,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let owners = crate::EventOwners::Management;
        self.database.events(EventQuery { owners, after, limit }).await
    }

    /// Jobs of the owner that `scope` opens that were set aside. A scope that is narrowed to a counter-party sees none.
    pub async fn dead_jobs(
        &self,
        scope: &dyn Scope,
        mut query: DeadJobQuery,
    ) -> Result<Vec<DeadJob>, StoreError> {
        let access = scope.access();
        if access.counter_party().is_some() {
            return Ok(Vec::new());
        }
        query.owner = Some(access.owner().clone());
        self.dead_jobs_of(query).await
    }

    /// Everybody's jobs that were set aside, for an operator: what they are, never what they carry.
    pub async fn everybodys_dead_jobs(
        &self,
        _operator: &heddle_tenancy::OperatorScope,
        query: DeadJobQuery,
    ) -> Result<Vec<DeadJob>, StoreError> {
        self.dead_jobs_of(query).await
    }

    async fn dead_jobs_of(&self, mut query: DeadJobQuery) -> Result<Vec<DeadJob>, StoreError> {
        if [&query.kind, &query.host].into_iter().flatten().any(|text| !can_be_stored(text)) {
            return Ok(Vec::new());
        }
        query.limit = query.limit.min(DEAD_JOBS_MAX);
        self.database.dead_jobs(query).await
    }

    /// The place of the newest event, to follow from here on.
    pub async fn newest_event(&self) -> Result<EventCursor, StoreError> {
        self.database.newest_event().await
    }

    /// Sealed entries of everybody's audit log, after a place, for an operator.
    pub async fn audit(
        &self,
        _operator: &heddle_tenancy::OperatorScope,
        after: u64,
        limit: u32,
    ) -> Result<Vec<SealedRecord>, StoreError> {
        self.database.audit_log().audit_entries(AuditQuery { owner: None, after, limit }).await
    }

    /// Sealed entries of a participant's own audit log, after a place.
    pub async fn audit_of(
        &self,
        scope: &heddle_tenancy::ParticipantScope,
        after: u64,
        limit: u32,
    ) -> Result<Vec<SealedRecord>, StoreError> {
        let owner = Some(scope.access().owner().to_string());
        self.database.audit_log().audit_entries(AuditQuery { owner, after, limit }).await
    }

    /// Where the audit log's chain ends, for an operator.
    pub async fn audit_state(
        &self,
        _operator: &heddle_tenancy::OperatorScope,
    ) -> Result<AuditState, StoreError> {
        self.database.audit_log().audit_state().await
    }

    /// What moves when something was committed.
    pub fn signals(&self) -> &Signals {
        self.database.signals()
    }

    /// Deletes about `limit` rows of what has expired; returns how many. If it were fewer, no more are left.
    pub async fn sweep(&self, limit: u32) -> Result<u64, StoreError> {
        self.database.sweep(self.environment.now(), limit).await
    }

    /// Counts what those who watch want to know; see [`Database::census`].
    pub async fn census(&self) -> Result<crate::Census, StoreError> {
        self.database.census(self.environment.now()).await
    }

    /// One round trip to the database, for health.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.ping().await
    }

    /// The clock and the random bytes that commits use.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The database below, for the composition root.
    pub fn database(&self) -> &Arc<dyn Database> {
        &self.database
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// Whether a key can be the key of anything. PostgreSQL has no text with the character 0, and whoever asks for such a
/// key asks for nothing that is there: that is no failure of the database.
pub(crate) fn can_be_stored(key: &str) -> bool {
    !key.contains('\0')
}
