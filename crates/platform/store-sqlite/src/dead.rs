//! Jobs that were set aside, without what they carry.

use heddle_clock::Timestamp;
use heddle_ids::JobId;
use heddle_store::{DeadJob, DeadJobQuery, StoreError};
use heddle_tenancy::InvalidOwner;
use rusqlite::{Connection, Row, params_from_iter};

use crate::error::of_statement;

/// The statement and its values. Only conditions that are asked for are in it, so that an index on them can be used.
pub(crate) fn statement(query: &DeadJobQuery) -> (String, Vec<String>) {
    let mut sql =
        "SELECT id, owner, kind, order_key, host, attempts, created_at, buried_at, last_error, trace
         FROM job WHERE buried = 1"
            .to_owned();
    let conditions = [
        (" AND owner = ?", query.owner.as_ref().map(ToString::to_string)),
        (" AND id = ?", query.id.as_ref().map(ToString::to_string)),
        (" AND id > ?", query.after.as_ref().map(ToString::to_string)),
        (" AND kind = ?", query.kind.clone()),
        (" AND host = ?", query.host.clone()),
    ];
    let mut values = Vec::new();
    for (condition, value) in conditions {
        let Some(value) = value else { continue };
        sql.push_str(condition);
        values.push(value);
    }
    sql.push_str(" ORDER BY id LIMIT ");
    sql.push_str(&query.limit.to_string());
    (sql, values)
}

pub(crate) fn dead_jobs(connection: &Connection, query: &DeadJobQuery) -> Result<Vec<DeadJob>, StoreError> {
    let (sql, values) = statement(query);
    let read = || {
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_map(params_from_iter(values), raw)?.collect::<rusqlite::Result<Vec<Raw>>>()
    };
    read().map_err(of_statement)?.into_iter().map(dead_job).collect()
}

/// A row as it lies there.
struct Raw {
    id: String,
    owner: String,
    trace: Option<String>,
    /// The rest, with an id and an owner still to be filled in.
    rest: (String, String, Option<String>, u32, i64, Option<i64>, Option<String>),
}

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    let rest = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?);
    Ok(Raw { id: row.get(0)?, owner: row.get(1)?, trace: row.get(9)?, rest })
}

fn dead_job(row: Raw) -> Result<DeadJob, StoreError> {
    let unreadable =
        |reason: String| StoreError::Unreadable { kind: "job".to_owned(), id: row.id.clone(), reason };
    let (kind, order_key, host, attempts, created_at, died_at, error) = row.rest;
    Ok(DeadJob {
        id: JobId::parse(row.id.as_str()).map_err(|e| unreadable(e.to_string()))?,
        owner: row.owner.parse().map_err(|e: InvalidOwner| unreadable(e.to_string()))?,
        kind,
        order_key,
        host,
        attempts,
        created_at: Timestamp::from_millis(created_at),
        died_at: died_at.map(Timestamp::from_millis),
        error: error.unwrap_or_default(),
        trace: row.trace.and_then(|text| text.parse().ok()),
    })
}
