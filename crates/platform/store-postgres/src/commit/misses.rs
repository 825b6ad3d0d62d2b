//! Which write missed, and how.

use heddle_store::{DeadJob, ExpectedVersion, Lease, StoreError, Write};
use tokio_postgres::{Error, error::SqlState};

use crate::error::{LEASE_LOST, STALE};

/// What the error of a write's statement says of that write; `None` when it says nothing of it.
pub(super) fn of(write: &Write, error: &Error) -> Option<StoreError> {
    let said = error.as_db_error()?;
    let code = said.code();
    match write {
        Write::Put { kind, id, columns, .. } if *code == SqlState::UNIQUE_VIOLATION => {
            let of_key = said.constraint() == Some("aggregate_unique_key");
            let taken = columns.unique_key.as_ref().filter(|_| of_key).unwrap_or(id);
            Some(duplicate(kind, taken))
        }
        Write::Put { kind, id, .. } | Write::Delete { kind, id, .. } | Write::Check { kind, id, .. }
            if code.code() == STALE || *code == SqlState::INSUFFICIENT_PRIVILEGE =>
        {
            Some(StoreError::Stale { kind: (*kind).to_owned(), id: id.clone() })
        }
        Write::Complete(lease) | Write::Reschedule { lease, .. } | Write::Bury { lease, .. }
            if code.code() == LEASE_LOST =>
        {
            Some(lost(lease))
        }
        Write::Replay { job } | Write::Discard { job } if code.code() == STALE => Some(DeadJob::changed(job)),
        Write::Once(nonce) if *code == SqlState::UNIQUE_VIOLATION => Some(duplicate("nonce", &nonce.value)),
        // Row-level security hides the row of the other owner and refuses to replace it.
        Write::Publish(row) if *code == SqlState::INSUFFICIENT_PRIVILEGE => {
            Some(duplicate("directory", &row.key))
        }
        _ => None,
    }
}

fn duplicate(kind: &str, id: &str) -> StoreError {
    StoreError::Duplicate { kind: kind.to_owned(), id: id.to_owned() }
}

fn lost(lease: &Lease) -> StoreError {
    StoreError::LeaseLost { job: lease.job.to_string() }
}

/// The version that a statement compares with.
pub(super) fn version(expected: ExpectedVersion) -> Option<i64> {
    match expected {
        ExpectedVersion::Absent => None,
        // A version that no row can have is never found.
        ExpectedVersion::Exactly(version) => Some(i64::try_from(version).unwrap_or(i64::MAX)),
    }
}
