//! Jobs that were set aside, without what they carry.

use deadpool_postgres::ClientWrapper;
use heddle_clock::Timestamp;
use heddle_ids::JobId;
use heddle_store::{DeadJob, DeadJobQuery, StoreError};
use heddle_tenancy::InvalidOwner;
use tokio_postgres::{Error, Row};

use crate::{
    error::of_statement,
    pipeline::{Call, values},
    reads::read,
    session,
};

/// An owner's as the application, everybody's as the management plane, whose role can read no payload.
pub(crate) async fn dead_jobs(
    client: &ClientWrapper,
    query: &DeadJobQuery,
) -> Result<Vec<DeadJob>, StoreError> {
    let rows = match &query.owner {
        Some(owner) => {
            let identity = session::named(owner.to_string(), String::new());
            read(client, session::READ_AS_APP, vec![identity], statement(query)).await?
        }
        None => read(client, session::READ_AS_MANAGEMENT, Vec::new(), statement(query)).await?,
    };
    rows.iter().map(dead_job).collect()
}

/// Only conditions that are asked for are in it, so that an index on them can be used.
fn statement(query: &DeadJobQuery) -> Call {
    let sql = "SELECT id, owner, kind, order_key, host, attempts, created_at, buried_at, last_error, trace
         FROM heddle.job WHERE buried";
    let mut call = Call::new(sql, values![]);
    let conditions = [
        ("owner =", query.owner.as_ref().map(ToString::to_string)),
        ("id =", query.id.as_ref().map(ToString::to_string)),
        ("id >", query.after.as_ref().map(ToString::to_string)),
        ("kind =", query.kind.clone()),
        ("host =", query.host.clone()),
    ];
    for (condition, value) in conditions {
        let Some(value) = value else { continue };
        call.values.push(Box::new(value));
        let place = call.values.len();
        call.sql.to_mut().push_str(&format!(" AND {condition} ${place}"));
    }
    // A value and no text: every text is a statement of its own, which each connection remembers.
    call.values.push(Box::new(i64::from(query.limit)));
    let place = call.values.len();
    call.sql.to_mut().push_str(&format!(" ORDER BY id LIMIT ${place}"));
    call
}

fn dead_job(row: &Row) -> Result<DeadJob, StoreError> {
    let read = || -> Result<_, Error> {
        let (id, owner): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let texts: (String, String) = (row.try_get(2)?, row.try_get(3)?);
        let (attempts, created_at): (i64, i64) = (row.try_get(5)?, row.try_get(6)?);
        let (died_at, error): (Option<i64>, Option<String>) = (row.try_get(7)?, row.try_get(8)?);
        let trace: Option<String> = row.try_get(9)?;
        Ok((id, owner, texts, row.try_get(4)?, attempts, (created_at, died_at), error, trace))
    };
    let (id, owner, (kind, order_key), host, attempts, (created_at, died_at), error, trace) =
        read().map_err(|e| of_statement(&e))?;
    let unreadable =
        |reason: String| StoreError::Unreadable { kind: "job".to_owned(), id: id.clone(), reason };
    Ok(DeadJob {
        id: JobId::parse(id.as_str()).map_err(|e| unreadable(e.to_string()))?,
        owner: owner.parse().map_err(|e: InvalidOwner| unreadable(e.to_string()))?,
        kind,
        order_key,
        host,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        created_at: Timestamp::from_millis(created_at),
        died_at: died_at.map(Timestamp::from_millis),
        error: error.unwrap_or_default(),
        trace: trace.and_then(|text| text.parse().ok()),
    })
}
