//! Claims: which jobs a worker gets, and for how long.

use heddle_clock::Timestamp;
use heddle_ids::JobId;
use heddle_store::{ClaimRequest, ClaimedJob, Lease, StoreError, share_of_host};
use rusqlite::{Connection, named_params, params};

use crate::error::of_statement;

mod due;

use due::{Due, due};

pub(crate) const CANDIDATES: &str = include_str!("claim.sql");

/// Whether a claim would find anything. For a reader, so that an idle worker does not write.
pub(crate) fn would_find(connection: &Connection, request: &ClaimRequest) -> Result<bool, StoreError> {
    let after = request.after.as_ref().map(ToString::to_string).unwrap_or_default();
    let look = || match due(connection, request)? {
        Due::Nothing => Ok(false),
        Due::One { .. } => Ok(true),
        Due::Several => Ok(!candidates(connection, request, (1, &after))?.is_empty()),
    };
    look().map_err(of_statement)
}

/// Leases what the request asks for.
pub(crate) fn claim(connection: &Connection, request: &ClaimRequest) -> Result<Vec<ClaimedJob>, StoreError> {
    let mut claimed = Vec::new();
    let mut after = request.after.as_ref().map(ToString::to_string).unwrap_or_default();
    // Every round leaves out what the caps of the rounds before exclude, until there is no room or no job left.
    loop {
        let room = request.limit.saturating_sub(u32::try_from(claimed.len()).unwrap_or(u32::MAX));
        if room == 0 {
            return Ok(claimed);
        }
        let found = match due(connection, request).map_err(of_statement)? {
            Due::Nothing => Vec::new(),
            Due::One { seq, owner } => vec![(seq, owner)],
            Due::Several => candidates(connection, request, (room, &after)).map_err(of_statement)?,
        };
        if found.is_empty() {
            return Ok(claimed);
        }
        for (seq, owner) in found {
            claimed.push(lease(connection, request, seq)?);
            after = owner;
        }
    }
}

/// Jobs by their `seq`, with their owners: the next ones of the round behind `after`.
fn candidates(
    connection: &Connection,
    request: &ClaimRequest,
    (limit, after): (u32, &str),
) -> rusqlite::Result<Vec<(i64, String)>> {
    let kinds = serde_json::Value::from(request.kinds.clone()).to_string();
    let mut statement = connection.prepare_cached(CANDIDATES)?;
    let values = named_params! {
        ":now": request.now.as_millis(),
        ":kinds": kinds,
        ":per_owner_max": request.per_owner_max,
        ":per_host_max": request.per_host_max,
        ":per_owner_and_host_max": share_of_host(request.per_owner_max),
        ":after": after,
        ":limit": limit,
    };
    statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn lease(connection: &Connection, request: &ClaimRequest, seq: i64) -> Result<ClaimedJob, StoreError> {
    let sql = "UPDATE job SET lease_worker = ?2, lease_token = ?3, lease_until = ?4 WHERE seq = ?1
         RETURNING id, owner, kind, order_key, payload, attempts, created_at, trace";
    let update = || {
        let mut statement = connection.prepare_cached(sql)?;
        let values = params![seq, request.worker.as_str(), request.token, request.until.as_millis()];
        statement.query_row(values, |row| {
            let (id, owner): (String, String) = (row.get(0)?, row.get(1)?);
            let trace: Option<String> = row.get(7)?;
            let job = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
            Ok((id, owner, job, trace))
        })
    };
    let (id, owner, (kind, order_key, payload, attempts, created_at), trace) =
        update().map_err(of_statement)?;
    let unreadable =
        |reason: String| StoreError::Unreadable { kind: "job".to_owned(), id: id.clone(), reason };
    Ok(ClaimedJob {
        owner: owner.parse().map_err(|e: heddle_tenancy::InvalidOwner| unreadable(e.to_string()))?,
        lease: Lease {
            job: JobId::parse(id.as_str()).map_err(|e| unreadable(e.to_string()))?,
            token: request.token.clone(),
        },
        kind,
        order_key,
        payload,
        attempts,
        created_at: Timestamp::from_millis(created_at),
        trace: trace.and_then(|text| text.parse().ok()),
    })
}

/// Extends leases that are still held under their token; gives back those whose jobs are there under another or none.
pub(crate) fn extend(
    connection: &Connection,
    leases: &[Lease],
    until: Timestamp,
) -> Result<Vec<Lease>, StoreError> {
    let extend = || {
        let mut update = connection
            .prepare_cached("UPDATE job SET lease_until = ?3 WHERE id = ?1 AND lease_token = ?2")?;
        let mut look = connection.prepare_cached("SELECT 1 FROM job WHERE id = ?1")?;
        let mut lost = Vec::new();
        for lease in leases {
            let rows = update.execute(params![lease.job.as_str(), lease.token, until.as_millis()])?;
            if rows == 0 && look.exists(params![lease.job.as_str()])? {
                lost.push(lease.clone());
            }
        }
        Ok(lost)
    };
    extend().map_err(of_statement)
}

/// Frees all leases: at the start, when nobody else can be alive.
pub(crate) fn free_all(connection: &Connection) -> Result<(), StoreError> {
    let sql = "UPDATE job SET lease_worker = NULL, lease_token = NULL, lease_until = NULL
         WHERE lease_until IS NOT NULL";
    connection.execute(sql, []).map(drop).map_err(of_statement)
}

/// When the next waiting job falls due or a lease runs out.
pub(crate) fn next_due(
    connection: &Connection,
    kinds: &[String],
    after: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let kinds = serde_json::Value::from(kinds).to_string();
    let next = || {
        let mut statement = connection.prepare_cached(
            "SELECT min(time) FROM (
                 SELECT * FROM (
                     SELECT due_at AS time FROM job
                     WHERE buried = 0 AND lease_until IS NULL AND due_at > ?1
                       AND kind IN (SELECT value FROM json_each(?2))
                     ORDER BY due_at LIMIT 1)
                 UNION ALL
                 SELECT min(lease_until) FROM job
                 WHERE lease_until > ?1 AND kind IN (SELECT value FROM json_each(?2)))",
        )?;
        statement.query_row(params![after.as_millis(), kinds], |row| row.get::<_, Option<i64>>(0))
    };
    Ok(next().map_err(of_statement)?.map(Timestamp::from_millis))
}
