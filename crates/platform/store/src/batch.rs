//! A write set: everything that one commit does.

use heddle_clock::Timestamp;
use heddle_ids::{JobId, WorkerId};
use heddle_telemetry::TraceContext;

use crate::{Columns, DirectoryRow, Lease, NewEvent, NewJob, Nonce, filter::Property};

/// What a write expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedVersion {
    /// No row.
    Absent,
    /// A row of exactly this version.
    Exactly(u64),
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// What was done, such as `participant.create`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Why, when an administrator acted for a participant.
    pub reason: Option<String>,
}

/// A worker's wish to claim a job in the commit that enqueues it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectLease {
    /// The worker.
    pub worker: WorkerId,
    /// The token of the lease.
    pub token: String,
    /// When the lease ends.
    pub until: Timestamp,
    /// Most jobs of the owner that may be leased at a time, this one included.
    pub per_owner_max: u32,
    /// Most jobs for its remote host that may be leased at a time, this one included.
    pub per_host_max: u32,
}

/// One write of a batch. Writes are applied in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Inserts (`Absent`, the new version is 1) or replaces (`Exactly(v)`, the new version is v + 1) a document.
    Put {
        /// The aggregate's kind.
        kind: &'static str,
        /// Its id.
        id: String,
        /// What must be there: a miss is `Duplicate` for `Absent`, else `Stale`.
        expected: ExpectedVersion,
        /// Promoted columns.
        columns: Columns,
        /// What it can be filtered by, in place of what it could be filtered by before; `None` for a kind that nobody
        /// filters.
        properties: Option<Vec<Property>>,
        /// The JSON text.
        document: String,
    },
    /// Deletes a document of exactly this version; a miss is `Stale`.
    Delete {
        /// The aggregate's kind.
        kind: &'static str,
        /// Its id.
        id: String,
        /// The version that was read.
        version: u64,
    },
    /// Changes nothing, but fails with `Stale` unless the row is as it was read.
    Check {
        /// The aggregate's kind.
        kind: &'static str,
        /// Its id.
        id: String,
        /// What must be there.
        expected: ExpectedVersion,
    },
    /// Enqueues a job. With `lease_for`, the job is claimed by that worker in the same commit, if it is due, no
    /// unfinished job has the same order key, and the caps of the lease leave room.
    Enqueue {
        /// Its id.
        id: JobId,
        /// The job.
        job: NewJob,
        /// The worker that will run it at once.
        lease_for: Option<DirectLease>,
    },
    /// Deletes a finished job; fails with `LeaseLost` if the lease is not ours.
    Complete(Lease),
    /// Gives a job back with one more failed attempt, due later; fails with `LeaseLost` if the lease is not ours.
    Reschedule {
        /// The lease.
        lease: Lease,
        /// When it is due again.
        due_at: Timestamp,
        /// What went wrong, for the person who looks.
        error: String,
    },
    /// Sets a job aside for a person; fails with `LeaseLost` if the lease is not ours.
    Bury {
        /// The lease.
        lease: Lease,
        /// What went wrong.
        error: String,
    },
    /// Lets a job that was set aside run once more: due at once, with all attempts before it, behind whatever waits
    /// under its order key. Fails with `Stale` unless it is set aside at this moment, so that of many who replay it
    /// one does.
    Replay {
        /// The job.
        job: JobId,
    },
    /// Deletes a job that was set aside; fails with `Stale` unless it is at this moment.
    Discard {
        /// The job.
        job: JobId,
    },
    /// Deletes the jobs of an order key that nobody holds.
    CancelJobs {
        /// The order key.
        order_key: String,
    },
    /// Emits an event.
    Emit(NewEvent),
    /// Appends to the audit log.
    Audit(AuditEntry),
    /// Records a nonce; seen before, `Duplicate`.
    Once(Nonce),
    /// Publishes or replaces a directory row; if another owner holds the key, `Duplicate`.
    Publish(DirectoryRow),
    /// Withdraws a directory row, if it is ours.
    Withdraw {
        /// What kind of fact.
        kind: &'static str,
        /// Its key.
        key: String,
    },
}

/// Everything that one commit does, in order, and what it is stamped with.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The writes. [`Batch::new`] puts those that end a job first, so that its successor can be claimed at once.
    pub writes: Vec<Write>,
    /// The time of the commit: created, updated, enqueued, emitted at.
    pub now: Timestamp,
    /// The trace that jobs and events continue.
    pub trace: Option<TraceContext>,
}

impl Batch {
    /// A batch of `writes` in their order, but with those that end a job before all others: a job that follows
    /// under the same order key can then be claimed in the same commit.
    #[must_use]
    pub fn new(mut writes: Vec<Write>, now: Timestamp, trace: Option<TraceContext>) -> Self {
        writes.sort_by_key(|write| !matches!(write, Write::Complete(_) | Write::Bury { .. }));
        Self { writes, now, trace }
    }
}
