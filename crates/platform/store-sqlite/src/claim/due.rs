//! What is due, where that is little: most claims find one job or none, and there is nothing to weigh then. The
//! statement that weighs all owners and hosts takes longer than all else that a claim does.

use heddle_store::ClaimRequest;
use rusqlite::{Connection, params};

use crate::room;

/// What a claim may find.
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
        "SELECT seq, owner, coalesce(host, ''), kind FROM job
         WHERE buried = 0 AND lease_until IS NULL AND due_at <= ?1 ORDER BY due_at LIMIT 2",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let found: Vec<(i64, String, String, String)> =
        waiting.query_map(params![now], read)?.collect::<Result<_, _>>()?;
    match found.as_slice() {
        [] => Ok(Due::Nothing),
        [(seq, owner, host, kind)] => {
            let caps = (request.per_owner_max, request.per_host_max);
            let free = request.kinds.contains(kind)
                && is_head(connection, *seq)?
                && room::is_left(connection, (owner, host), now, caps)?;
            Ok(if free { Due::One { seq: *seq, owner: owner.clone() } } else { Due::Nothing })
        }
        _ => Ok(Due::Several),
    }
}

/// Whether nothing stands before a job under its key.
fn is_head(connection: &Connection, seq: i64) -> rusqlite::Result<bool> {
    let mut earlier = connection.prepare_cached(
        "SELECT 1 FROM job JOIN job AS earlier
             ON earlier.owner = job.owner AND earlier.order_key = job.order_key
                AND earlier.buried = 0 AND earlier.seq < job.seq
         WHERE job.seq = ?1",
    )?;
    earlier.exists(params![seq]).map(|there| !there)
}
