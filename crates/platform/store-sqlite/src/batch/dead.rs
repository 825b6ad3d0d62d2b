//! What a person does with jobs that were set aside.

use heddle_ids::JobId;
use heddle_store::{DeadJob, StoreError};
use rusqlite::{Connection, params};

use super::Stamp;
use crate::error::of_statement;

/// Lets a job run once more, as if it were enqueued now: its successors have gone on without it, and one of them may
/// be leased at this moment, so it goes behind all of its key.
pub(super) fn replay(connection: &Connection, stamp: &Stamp<'_>, job: &JobId) -> Result<(), StoreError> {
    let replay = || {
        let mut update = connection.prepare_cached(
            "UPDATE job
             SET seq = (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'job'),
                 buried = 0, buried_at = NULL, attempts = 0, due_at = ?3
             WHERE id = ?1 AND owner = ?2 AND buried = 1",
        )?;
        let rows = update.execute(params![job.as_str(), stamp.owner, stamp.now])?;
        let sequence = "UPDATE sqlite_sequence SET seq = seq + ?1 WHERE name = 'job'";
        connection.prepare_cached(sequence)?.execute(params![rows])?;
        Ok(rows)
    };
    found(replay().map_err(of_statement)?, job)
}

/// Deletes a job that was set aside.
pub(super) fn discard(connection: &Connection, stamp: &Stamp<'_>, job: &JobId) -> Result<(), StoreError> {
    let sql = "DELETE FROM job WHERE id = ?1 AND owner = ?2 AND buried = 1";
    let delete = || connection.prepare_cached(sql)?.execute(params![job.as_str(), stamp.owner]);
    found(delete().map_err(of_statement)?, job)
}

fn found(rows: usize, job: &JobId) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(DeadJob::changed(job)) }
}
