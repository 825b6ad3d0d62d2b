//! Jobs that were set aside, for a person to look at.
//!
//! A job is set aside (buried) when its handler says that it cannot succeed, or when it has failed as often as the
//! worker allows. It stays where it is until somebody replays or discards it. Its payload is not told: it may hold
//! what only its owner may know.

use heddle_clock::Timestamp;
use heddle_ids::JobId;
use heddle_telemetry::TraceContext;
use heddle_tenancy::Owner;

use crate::StoreError;

/// Most jobs of one list.
pub const DEAD_JOBS_MAX: u32 = 1000;

/// A job that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadJob {
    /// Which.
    pub id: JobId,
    /// Whose.
    pub owner: Owner,
    /// Which handler ran it.
    pub kind: String,
    /// Its order key.
    pub order_key: String,
    /// The remote authority that it called, if any.
    pub host: Option<String>,
    /// How often it failed.
    pub attempts: u32,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it was set aside; `None` when an earlier release did it.
    pub died_at: Option<Timestamp>,
    /// What went wrong the last time.
    pub error: String,
    /// The trace of the work that caused it.
    pub trace: Option<TraceContext>,
}

impl DeadJob {
    /// The error of a replay or discard that somebody else was faster with.
    #[must_use]
    pub fn changed(job: &JobId) -> StoreError {
        StoreError::Stale { kind: "dead job".to_owned(), id: job.to_string() }
    }
}

/// Which of them. All conditions must hold; they come in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadJobQuery {
    /// Those of one owner; `None` is everybody's.
    pub owner: Option<Owner>,
    /// This one.
    pub id: Option<JobId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// That called this remote authority.
    pub host: Option<String>,
    /// Those behind this one, to go on after a page.
    pub after: Option<JobId>,
    /// Most jobs to return, at most [`DEAD_JOBS_MAX`].
    pub limit: u32,
}
