//! Jobs: enqueued, finished, given back, set aside.

use heddle_clock::Timestamp;
use heddle_ids::JobId;
use heddle_store::{ClaimedJob, DirectLease, Lease, NewJob, StoreError};
use heddle_tenancy::Owner;
use rusqlite::{Connection, OptionalExtension, params};

use super::Stamp;
use crate::{error::of_statement, room};

/// Enqueues, and claims at once if that is asked for and possible.
pub(super) fn enqueue(
    connection: &Connection,
    stamp: &Stamp<'_>,
    owner: &Owner,
    (id, job): (JobId, NewJob),
    wish: Option<DirectLease>,
) -> Result<Option<ClaimedJob>, StoreError> {
    let due_at = job.due_at.map_or(stamp.now, Timestamp::as_millis);
    let lease = match wish {
        Some(wish)
            if due_at <= stamp.now && may_lease(connection, stamp, &job, &wish).map_err(of_statement)? =>
        {
            Some(wish)
        }
        _ => None,
    };
    let insert = || {
        let mut statement = connection.prepare_cached(
            "INSERT INTO job (id, owner, kind, order_key, payload, host, due_at, lease_worker, lease_token,
                              lease_until, trace, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        statement.execute(params![
            id.as_str(),
            stamp.owner,
            job.kind,
            job.order_key,
            job.payload,
            job.host,
            due_at,
            lease.as_ref().map(|lease| lease.worker.as_str()),
            lease.as_ref().map(|lease| lease.token.as_str()),
            lease.as_ref().map(|lease| lease.until.as_millis()),
            stamp.trace,
            stamp.now,
        ])
    };
    insert().map_err(of_statement)?;
    Ok(lease.map(|lease| ClaimedJob {
        lease: Lease { job: id, token: lease.token },
        owner: owner.clone(),
        kind: job.kind,
        order_key: job.order_key,
        payload: job.payload,
        attempts: 0,
        created_at: Timestamp::from_millis(stamp.now),
        trace: stamp.trace.as_deref().and_then(|text| text.parse().ok()),
    }))
}

fn may_lease(
    connection: &Connection,
    stamp: &Stamp<'_>,
    job: &NewJob,
    wish: &DirectLease,
) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM job WHERE owner = ?1 AND order_key = ?2 AND buried = 0";
    let behind = connection.prepare_cached(sql)?.exists(params![stamp.owner, job.order_key])?;
    let calls = (stamp.owner.as_str(), job.host.as_deref().unwrap_or_default());
    Ok(!behind && room::is_left(connection, calls, stamp.now, (wish.per_owner_max, wish.per_host_max))?)
}

/// Deletes a finished job; says whether another may be claimable because of that.
pub(super) fn complete(
    connection: &Connection,
    stamp: &Stamp<'_>,
    lease: &Lease,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM job WHERE id = ?1 AND owner = ?2 AND lease_token = ?3 RETURNING host";
    let end = || {
        let mut statement = connection.prepare_cached(sql)?;
        let values = params![lease.job.as_str(), stamp.owner, lease.token];
        statement.query_row(values, |row| row.get(0)).optional()
    };
    ended(connection, stamp, lease, end().map_err(of_statement)?)
}

/// Sets a job aside; says whether another may be claimable because of that.
pub(super) fn bury(
    connection: &Connection,
    stamp: &Stamp<'_>,
    lease: &Lease,
    error: &str,
) -> Result<bool, StoreError> {
    let sql = "UPDATE job
         SET buried = 1, buried_at = ?5, attempts = attempts + 1, last_error = ?4, lease_worker = NULL,
             lease_token = NULL, lease_until = NULL
         WHERE id = ?1 AND owner = ?2 AND lease_token = ?3 RETURNING host";
    let end = || {
        let mut statement = connection.prepare_cached(sql)?;
        let values = params![lease.job.as_str(), stamp.owner, lease.token, error, stamp.now];
        statement.query_row(values, |row| row.get(0)).optional()
    };
    ended(connection, stamp, lease, end().map_err(of_statement)?)
}

/// `host` is what the job called, `None` when there was no such job.
fn ended(
    connection: &Connection,
    stamp: &Stamp<'_>,
    lease: &Lease,
    host: Option<Option<String>>,
) -> Result<bool, StoreError> {
    let Some(host) = host else { return Err(lost(lease)) };
    // A successor under the same key is one of the owner's; the others may have waited for a cap.
    let others = || {
        let mut statement = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM job
                            WHERE owner = ?1 AND buried = 0 AND due_at <= ?2 AND lease_until IS NULL)
                 OR EXISTS (SELECT 1 FROM job
                            WHERE host = ?3 AND buried = 0 AND due_at <= ?2 AND lease_until IS NULL)",
        )?;
        statement.query_row(params![stamp.owner, stamp.now, host], |row| row.get(0))
    };
    others().map_err(of_statement)
}

pub(super) fn reschedule(
    connection: &Connection,
    stamp: &Stamp<'_>,
    lease: &Lease,
    due_at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    let update = || {
        let mut statement = connection.prepare_cached(
            "UPDATE job
             SET attempts = attempts + 1, due_at = ?4, last_error = ?5, lease_worker = NULL, lease_token = NULL,
                 lease_until = NULL
             WHERE id = ?1 AND owner = ?2 AND lease_token = ?3",
        )?;
        statement.execute(params![lease.job.as_str(), stamp.owner, lease.token, due_at.as_millis(), error])
    };
    if update().map_err(of_statement)? == 1 { Ok(()) } else { Err(lost(lease)) }
}

/// Nothing becomes claimable by it: what is left of the key is held by somebody.
pub(super) fn cancel(connection: &Connection, stamp: &Stamp<'_>, order_key: &str) -> Result<(), StoreError> {
    let delete = || {
        let mut statement = connection.prepare_cached(
            "DELETE FROM job
             WHERE owner = ?1 AND order_key = ?2 AND (lease_until IS NULL OR lease_until <= ?3)",
        )?;
        statement.execute(params![stamp.owner, order_key, stamp.now]).map(drop)
    };
    delete().map_err(of_statement)
}

fn lost(lease: &Lease) -> StoreError {
    StoreError::LeaseLost { job: lease.job.to_string() }
}
