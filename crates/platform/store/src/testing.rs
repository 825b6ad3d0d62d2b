//! For tests that have to do something at a commit: stop it, fail it, die of it.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_tenancy::{Access, Directory, Owner};

use crate::{
    Batch, Census, ClaimRequest, ClaimedJob, Database, DeadJob, DeadJobQuery, Event, EventCursor, EventQuery,
    Lease, PoolUse, Published, Receipt, Signals, Snapshot, StoreError,
    audit::{AuditHead, AuditLog},
};

/// What happens to commits.
#[async_trait]
pub trait Commits: Send + Sync {
    /// Hands the batch on to `database`, or does not.
    async fn commit(
        &self,
        database: &dyn Database,
        access: Access,
        batch: Batch,
    ) -> Result<Receipt, StoreError>;
}

/// A database whose commits go through `commits`. All else goes straight to the database behind it.
pub struct Intercepted<C> {
    /// What happens to commits.
    pub commits: C,
    database: Arc<dyn Database>,
}

impl<C: Commits> Intercepted<C> {
    /// In front of `database`.
    pub fn new(database: Arc<dyn Database>, commits: C) -> Self {
        Self { commits, database }
    }
}

#[async_trait]
impl<C: Commits> Database for Intercepted<C> {
    async fn snapshot(&self, access: Access) -> Result<Box<dyn Snapshot>, StoreError> {
        self.database.snapshot(access).await
    }

    async fn commit(&self, access: Access, batch: Batch) -> Result<Receipt, StoreError> {
        self.commits.commit(&*self.database, access, batch).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<ClaimedJob>, StoreError> {
        self.database.claim(request).await
    }

    async fn extend(&self, leases: &[Lease], until: Timestamp) -> Result<Vec<Lease>, StoreError> {
        self.database.extend(leases, until).await
    }

    async fn next_due(&self, kinds: &[String], after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.database.next_due(kinds, after).await
    }

    async fn dead_jobs(&self, query: DeadJobQuery) -> Result<Vec<DeadJob>, StoreError> {
        self.database.dead_jobs(query).await
    }

    async fn events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError> {
        self.database.events(query).await
    }

    async fn newest_event(&self) -> Result<EventCursor, StoreError> {
        self.database.newest_event().await
    }

    async fn lookup(
        &self,
        directory: Directory,
        kind: &str,
        key: &str,
    ) -> Result<Option<Published>, StoreError> {
        self.database.lookup(directory, kind, key).await
    }

    async fn published(
        &self,
        directory: Directory,
        kind: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Published>, StoreError> {
        self.database.published(directory, kind, after, limit).await
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.database.sweep(now, limit).await
    }

    async fn seal_audit(&self, limit: u32) -> Result<Option<AuditHead>, StoreError> {
        self.database.seal_audit(limit).await
    }

    fn audit_log(&self) -> &dyn AuditLog {
        self.database.audit_log()
    }

    async fn owners_to_index(&self, kinds: &[&'static str], limit: u32) -> Result<Vec<Owner>, StoreError> {
        self.database.owners_to_index(kinds, limit).await
    }

    fn signals(&self) -> &Signals {
        self.database.signals()
    }

    fn system(&self) -> &'static str {
        self.database.system()
    }

    async fn census(&self, now: Timestamp) -> Result<Census, StoreError> {
        self.database.census(now).await
    }

    fn pools(&self) -> Vec<PoolUse> {
        self.database.pools()
    }

    fn hears_others(&self) -> Result<(), String> {
        self.database.hears_others()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.database.ping().await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}
