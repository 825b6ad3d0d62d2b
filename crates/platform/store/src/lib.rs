//! The storage port: a narrow waist between typed repositories and two databases.
//!
//! Above the waist: an [`Aggregate`] is a serde type that names its kind, its id and a few promoted columns.
//! A [`Transaction`] is opened with a scope, reads one snapshot, buffers its writes with the versions that it
//! has seen, and commits them in one batch. Below the waist: [`Database`], which knows rows and no types.
//!
//! # How to add an aggregate
//!
//! 1. A struct with `Serialize` and `Deserialize`; new members get `#[serde(default)]`.
//! 2. `impl Aggregate`: a `KIND`, the id, and in `columns()` what you query by. No migration is needed. If clients may
//!    filter or sort it, `properties()` has what they may ask for (see [`filter`]).
//! 3. Load with `tx.load::<A>(id)`, change the value, `tx.save(loaded, value)`; `tx.insert(value)` for a new one.
//! 4. What should happen next is a job: `tx.enqueue(NewJob::new("kind", &order_key, &payload))` in the same
//!    transaction, and a [`JobHandler`] for that kind. What others may want to know is an event: `tx.emit(…)`.
//!
//! # What holds
//!
//! * Entries of the audit log are sealed into a chain in their order (see [`audit`]).
//! * A commit is atomic over aggregates, jobs, events, audit entries and directory rows.
//! * A write expects the version that was read; a miss is [`StoreError::Stale`], and nothing is written.
//! * Rows of one owner are invisible to another; on PostgreSQL the database itself enforces it.
//! * Members of a document that this release does not know survive its rewrite.
//!
//! Deliberately absent: SQL (it lives in the implementations), joins, interactive locks.

mod aggregate;
mod answers;
pub mod audit;
mod batch;
mod census;
mod database;
mod dead;
mod directory;
mod error;
mod events;
pub mod filter;
pub mod finding;
mod jobs;
mod nonce;
mod query;
mod reindex;
mod signals;
mod store;
mod telling;
mod transaction;
mod worker;

#[cfg(feature = "contract")]
pub mod contract;
#[cfg(feature = "testing")]
pub mod testing;

pub use aggregate::{Aggregate, Columns, Loaded};
pub use answers::{Answer, AnswerKey};
pub use batch::{AuditEntry, Batch, DirectLease, ExpectedVersion, Write};
pub use census::{Census, JobCount, PoolUse, PublishedCount};
pub use database::{ClaimRequest, Database, EventOwners, EventQuery, Receipt, SWEPT_KINDS, Snapshot};
pub use dead::{DEAD_JOBS_MAX, DeadJob, DeadJobQuery};
pub use directory::{DirectoryRow, Published};
pub use error::StoreError;
pub use events::{Event, EventCursor, NewEvent};
pub use jobs::{Backoff, ClaimedJob, Lease, NewJob, share_of_host};
pub use nonce::Nonce;
pub use query::{Cursor, CursorKey, LIST_ROWS_MAX, Order, Query, Row, Selector, Sort};
pub use reindex::Indexed;
pub use signals::{Signals, Topic};
pub use store::Store;
pub use transaction::Transaction;
pub use worker::{JobContext, JobHandler, Outcome, RunningWorker, Worker, WorkerLimits};
