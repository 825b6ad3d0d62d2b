//! A batch as statements, and what their results mean.

use deadpool_postgres::ClientWrapper;
use heddle_clock::Timestamp;
use heddle_store::{Batch, ClaimedJob, Lease, Receipt, StoreError, Write};
use heddle_tenancy::Access;
use tokio_postgres::Row;

use crate::{
    error::{is_conflict, of_statement},
    pipeline::{self, PipelineError},
    session,
};

mod misses;
mod statements;

/// How often a batch is sent again when the database broke it off in favour of another.
const ATTEMPTS_MAX: u32 = 5;
/// Statements of every batch before those of its writes: the owner, the order keys.
const PREAMBLE: usize = 2;

/// What waiters are to be told after the commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// A job may be claimable, or the time of the next one has changed.
    pub(crate) jobs: bool,
    /// Events were written; they have no places yet.
    pub(crate) events: bool,
    /// Entries of the audit log were written, which are to be sealed.
    pub(crate) audit: bool,
}

/// Commits in one round trip.
pub(crate) async fn commit(
    client: &ClientWrapper,
    access: &Access,
    batch: &Batch,
) -> Result<(Receipt, Moved), StoreError> {
    let mut calls = vec![session::of(access), statements::order_keys(batch)];
    calls.extend(batch.writes.iter().map(|write| statements::of(write, access, batch)));
    let mut attempt = 1;
    loop {
        match pipeline::run(client, session::WRITE_AS_APP, &calls, session::COMMIT).await {
            Ok(results) => return outcome(access, batch, results.get(PREAMBLE..).unwrap_or_default()),
            Err(failure) if attempt < ATTEMPTS_MAX && is_conflict(&failure.error) => attempt += 1,
            Err(failure) => return Err(miss(batch, &failure)),
        }
    }
}

fn miss(batch: &Batch, failure: &PipelineError) -> StoreError {
    let write = failure.call.and_then(|call| call.checked_sub(PREAMBLE)).and_then(|at| batch.writes.get(at));
    write.and_then(|write| misses::of(write, &failure.error)).unwrap_or_else(|| of_statement(&failure.error))
}

fn outcome(access: &Access, batch: &Batch, results: &[Vec<Row>]) -> Result<(Receipt, Moved), StoreError> {
    let (mut receipt, mut moved) = (Receipt::default(), Moved::default());
    for (write, rows) in batch.writes.iter().zip(results) {
        match write {
            Write::Enqueue { lease_for, .. } => {
                let claimed = yes(rows)?;
                moved.jobs |= !claimed;
                if claimed && lease_for.is_some() {
                    receipt.claimed.extend(claimed_job(access, batch, write));
                }
            }
            Write::Complete(_) | Write::Bury { .. } => moved.jobs |= yes(rows)?,
            Write::Reschedule { .. } | Write::Replay { .. } => moved.jobs = true,
            Write::Emit(_) => moved.events = true,
            Write::Audit(_) => moved.audit = true,
            _ => {}
        }
    }
    Ok((receipt, moved))
}

fn yes(rows: &[Row]) -> Result<bool, StoreError> {
    rows.first().map_or(Ok(false), |row| row.try_get(0)).map_err(|e| of_statement(&e))
}

fn claimed_job(access: &Access, batch: &Batch, write: &Write) -> Option<ClaimedJob> {
    let Write::Enqueue { id, job, lease_for: Some(lease) } = write else { return None };
    Some(ClaimedJob {
        lease: Lease { job: id.clone(), token: lease.token.clone() },
        owner: access.owner().clone(),
        kind: job.kind.clone(),
        order_key: job.order_key.clone(),
        payload: job.payload.clone(),
        attempts: 0,
        created_at: Timestamp::from_millis(batch.now.as_millis()),
        trace: batch.trace,
    })
}
