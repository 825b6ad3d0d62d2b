//! Who a transaction is.

use heddle_tenancy::Access;

use crate::pipeline::{Call, values};

/// The beginnings of transactions. The role is the first thing that happens in each.
pub(crate) const WRITE_AS_APP: &str = "BEGIN; SET LOCAL ROLE heddle_app";
/// Every list of a snapshot has an index that gives its rows one by one, and ends at a limit; under row-level security the
/// planner underestimates what is before the limit, and would collect it all.
pub(crate) const SNAPSHOT_AS_APP: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE heddle_app;
     SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off";
pub(crate) const READ_AS_APP: &str = "BEGIN READ ONLY; SET LOCAL ROLE heddle_app";
pub(crate) const READ_AS_DIRECTORY: &str = "BEGIN READ ONLY; SET LOCAL ROLE heddle_directory";
pub(crate) const READ_AS_MANAGEMENT: &str = "BEGIN READ ONLY; SET LOCAL ROLE heddle_management";
pub(crate) const READ_AS_WORKER: &str = "BEGIN READ ONLY; SET LOCAL ROLE heddle_worker";
pub(crate) const READ_AS_AUDITOR: &str = "BEGIN READ ONLY; SET LOCAL ROLE heddle_auditor";
pub(crate) const WRITE_AS_WORKER: &str = "BEGIN; SET LOCAL ROLE heddle_worker";
/// A lease may be lost in a crash of the server: its job is then claimed again, and the first holder is fenced off.
pub(crate) const LEASE_AS_WORKER: &str =
    "BEGIN; SET LOCAL ROLE heddle_worker; SET LOCAL synchronous_commit = off";
pub(crate) const WRITE_AS_SWEEPER: &str = "BEGIN; SET LOCAL ROLE heddle_sweeper";
pub(crate) const READ_AS_INDEXER: &str = "BEGIN READ ONLY; SET LOCAL ROLE heddle_indexer";
pub(crate) const COMMIT: &str = "COMMIT";

/// Names the rows that the transaction may touch.
pub(crate) fn of(access: &Access) -> Call {
    let counter_party = access.counter_party().map_or("", |id| id.as_str());
    named(access.owner().to_string(), counter_party.to_owned())
}

/// Names an owner, without a counter-party.
pub(crate) fn named(owner: String, counter_party: String) -> Call {
    let sql = "SELECT set_config('heddle.owner', $1, true), set_config('heddle.counter_party', $2, true)";
    Call::new(sql, values![owner, counter_party])
}
