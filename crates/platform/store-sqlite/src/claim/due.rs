//! What is due, where that is little: most claims find one job or none, and there is nothing to weigh then. The
//! statement that weighs all owners and hosts takes longer than all else that a claim does.

use heddle_store::{ClaimRequest, share_of_host};
use rusqlite::{Connection, OptionalExtension, params};

/// What a claim may find.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing that the caps and the order leave to be claimed.
    Nothing,
    /// This job may be claimed, and no other is due.
    One { seq: i64, owner: String },
    /// The order among them is to be found out.
    Several,
}

/// Looks at no more than two of the jobs that are due.
pub(super) fn due(connection: &Connection, request: &ClaimRequest) -> rusqlite::Result<Due> {
    let now = request.now.as_millis();
    let mut lapsed = connection.prepare_cached("SELECT 1 FROM job WHERE lease_until <= ?1 LIMIT 1")?;
    if lapsed.exists(params![now])? {
        return Ok(Due::Several);
    }
    let mut waiting = connection.prepare_cached(
        "SELECT seq, owner, kind FROM job
         WHERE buried = 0 AND lease_until IS NULL AND due_at <= ?1 ORDER BY due_at LIMIT 2",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let mut found: Vec<(i64, String, String)> =
        waiting.query_map(params![now], read)?.collect::<Result<_, _>>()?;
    match (found.pop(), found.is_empty()) {
        (None, _) => Ok(Due::Nothing),
        (Some(_), false) => Ok(Due::Several),
        (Some((seq, owner, kind)), true) => {
            let free = request.kinds.contains(&kind) && is_free(connection, request, seq)?;
            Ok(if free { Due::One { seq, owner } } else { Due::Nothing })
        }
    }
}

/// Whether nothing stands before a job under its key and the caps leave room for it.
fn is_free(connection: &Connection, request: &ClaimRequest, seq: i64) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT NOT EXISTS (SELECT 1 FROM job AS earlier
                            WHERE earlier.owner = job.owner AND earlier.order_key = job.order_key
                              AND earlier.buried = 0 AND earlier.seq < job.seq)
            AND (SELECT count(*) FROM job AS other
                 WHERE other.owner = job.owner AND other.lease_until > ?2) < ?3
            AND (coalesce(host, '') = '' OR
                 ((SELECT count(*) FROM job AS other
                   WHERE other.host = job.host AND other.lease_until > ?2) < ?4
                  AND (SELECT count(*) FROM job AS other
                       WHERE other.owner = job.owner AND other.host = job.host AND other.lease_until > ?2) < ?5))
         FROM job WHERE seq = ?1",
    )?;
    let (owners, hosts) = (request.per_owner_max, request.per_host_max);
    let values = params![seq, request.now.as_millis(), owners, hosts, share_of_host(owners)];
    Ok(statement.query_row(values, |row| row.get(0)).optional()?.unwrap_or(false))
}
