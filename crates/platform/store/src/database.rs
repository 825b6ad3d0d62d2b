//! The waist itself: what an implementation provides.

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_ids::WorkerId;
use heddle_tenancy::{Access, Directory, Owner};

use crate::{
    Batch, Census, ClaimedJob, DeadJob, DeadJobQuery, Event, EventCursor, Lease, PoolUse, Published, Query,
    Row, Selector, Signals, StoreError,
    audit::{AuditHead, AuditLog},
};

/// Kinds of aggregates that end by themselves: the sweep deletes a row when its `due_at` is past. The
/// implementations name them again, in a partial index and, on PostgreSQL, in what the sweeper may delete.
pub const SWEPT_KINDS: [&str; 2] = ["answer", "denial"];

/// One database. Implementations pass the contract suite (feature `contract`).
#[async_trait]
pub trait Database: Send + Sync {
    /// Opens a snapshot: everything read through it is as of one moment.
    async fn snapshot(&self, access: Access) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Commits a batch atomically: durable, or an error and nothing is written.
    async fn commit(&self, access: Access, batch: Batch) -> Result<Receipt, StoreError>;

    /// Claims due jobs: at most one per order key, in order, round the owners: one of every owner that has one, beginning
    /// behind `after`, before a second one of anybody. How the round goes depends on nothing but the owners that have jobs
    /// and room, so whoever has a long queue, or a dead peer, changes nobody else's order. An owner's turns go round the
    /// hosts that its jobs call, and no host gets more than [`crate::share_of_host`] of its places.
    async fn claim(&self, request: ClaimRequest) -> Result<Vec<ClaimedJob>, StoreError>;

    /// Extends leases that nobody else has taken. Gives back those that were taken or freed: their jobs are there and
    /// are no more the holder's (a job that is gone was finished). Called while jobs run for long, with the leases of
    /// those jobs alone: a lease that got lost on its way to its worker must run out.
    async fn extend(&self, leases: &[Lease], until: Timestamp) -> Result<Vec<Lease>, StoreError>;

    /// When, after `after`, the next waiting job of these kinds falls due or a lease of one runs out. Jobs that
    /// were due by `after` and yet not claimed wait for another job, which moves the signal when it ends.
    async fn next_due(&self, kinds: &[String], after: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// Jobs that were set aside, in the order of their ids, without their payloads.
    async fn dead_jobs(&self, query: DeadJobQuery) -> Result<Vec<DeadJob>, StoreError>;

    /// Events after a cursor, oldest first. Never skips one that becomes visible later.
    async fn events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError>;

    /// The place of the newest event.
    async fn newest_event(&self) -> Result<EventCursor, StoreError>;

    /// A published row.
    async fn lookup(
        &self,
        directory: Directory,
        kind: &str,
        key: &str,
    ) -> Result<Option<Published>, StoreError>;

    /// Published rows of a kind, by key, after `after`.
    async fn published(
        &self,
        directory: Directory,
        kind: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Published>, StoreError>;

    /// Deletes nonces that have expired and rows of [`SWEPT_KINDS`] that are due: about `limit` rows of each at
    /// most, so that others can write in between. Returns how many rows; with fewer than `limit`, no more are left.
    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Gives places in the audit log's chain to entries that wait for one, about `limit` at most: in the order of
    /// their insertion, each once, whoever else seals at the same time. The new end of the chain, or `None` when
    /// nothing waited.
    async fn seal_audit(&self, limit: u32) -> Result<Option<AuditHead>, StoreError>;

    /// The audit log, to be read.
    fn audit_log(&self) -> &dyn AuditLog;

    /// Some owners of rows of these kinds whose properties were not stored with them ([`Query::unindexed`]), because
    /// a release did it that does not know them. None when there are no such rows.
    async fn owners_to_index(&self, kinds: &[&'static str], limit: u32) -> Result<Vec<Owner>, StoreError> {
        let _ = (kinds, limit);
        Ok(Vec::new())
    }

    /// Changes of this database, in this process and in others.
    fn signals(&self) -> &Signals;

    /// What kind of database this is, by the names of OpenTelemetry's `db.system.name`.
    fn system(&self) -> &'static str {
        "other_sql"
    }

    /// Counts what those who watch want to know. It may look at many rows; nothing else waits for it.
    async fn census(&self, now: Timestamp) -> Result<Census, StoreError> {
        let _ = now;
        Ok(Census::default())
    }

    /// How much of each pool of connections is in use.
    fn pools(&self) -> Vec<PoolUse> {
        Vec::new()
    }

    /// Whether what this process tells others, and they it, gets through; a failure is one sentence without secrets.
    fn hears_others(&self) -> Result<(), String> {
        Ok(())
    }

    /// One round trip, for health.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Finishes what is under way and closes the database.
    async fn close(&self);
}

/// Reads as of one moment, within one access.
#[async_trait]
pub trait Snapshot: Send {
    /// One row.
    async fn row(&mut self, kind: &'static str, selector: Selector<'_>) -> Result<Option<Row>, StoreError>;

    /// A list.
    async fn rows(&mut self, kind: &'static str, query: &Query) -> Result<Vec<Row>, StoreError>;

    /// How many rows fit, ignoring `offset` and `limit`.
    async fn count(&mut self, kind: &'static str, query: &Query) -> Result<u64, StoreError>;
}

/// What a commit has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Jobs that were claimed for a worker in the same commit.
    pub claimed: Vec<ClaimedJob>,
}

/// Which jobs a worker wants.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// The worker.
    pub worker: WorkerId,
    /// Kinds that it has handlers for.
    pub kinds: Vec<String>,
    /// Most jobs to claim.
    pub limit: u32,
    /// The owner of the last job of the claim before: the round goes on behind it. `None` begins one.
    pub after: Option<Owner>,
    /// Most jobs of one owner that may be leased at a time.
    pub per_owner_max: u32,
    /// Most jobs for one remote host that may be leased at a time.
    pub per_host_max: u32,
    /// The current time.
    pub now: Timestamp,
    /// When the leases end.
    pub until: Timestamp,
    /// Unpredictable text that makes lease tokens different for every claim.
    pub token: String,
}

/// Whose events a reader wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventOwners {
    /// Those of one owner.
    One(Owner),
    /// Those of the installation and of all tenants: the management plane's own. Never a participant's.
    Management,
}

/// Which events a reader wants.
#[derive(Debug, Clone)]
pub struct EventQuery {
    /// Whose events.
    pub owners: EventOwners,
    /// After this place.
    pub after: EventCursor,
    /// Most events to return.
    pub limit: u32,
}
