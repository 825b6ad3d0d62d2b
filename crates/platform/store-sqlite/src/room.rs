//! The caps of one job: whether there is room for it beside what is leased. Claims that weigh many jobs count for all of
//! them at once (`claim.sql`).

use heddle_store::share_of_host;
use rusqlite::{Connection, params};

/// Whether a job of `owner` that calls `host` (none, when it is empty) may be leased at `now`, in milliseconds.
pub(crate) fn is_left(
    connection: &Connection,
    (owner, host): (&str, &str),
    now: i64,
    (per_owner_max, per_host_max): (u32, u32),
) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT (SELECT count(*) FROM job WHERE owner = ?1 AND lease_until > ?3) < ?4
            AND (?2 = '' OR
                 ((SELECT count(*) FROM job WHERE host = ?2 AND lease_until > ?3) < ?5
                  AND (SELECT count(*) FROM job WHERE owner = ?1 AND host = ?2 AND lease_until > ?3) < ?6))",
    )?;
    let values = params![owner, host, now, per_owner_max, per_host_max, share_of_host(per_owner_max)];
    statement.query_row(values, |row| row.get(0))
}
