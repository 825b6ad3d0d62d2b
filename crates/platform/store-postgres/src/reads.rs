//! Reads outside a snapshot: events and the directory.

use deadpool_postgres::ClientWrapper;
use heddle_clock::Timestamp;
use heddle_store::{Event, EventCursor, EventOwners, EventQuery, Published, StoreError};
use heddle_tenancy::{InvalidOwner, Owner};
use tokio_postgres::{Error, Row};

use crate::{
    error::of_statement,
    pipeline::{self, Call, values},
    session,
};

/// Runs one query in a transaction of its own and gives its rows back.
pub(crate) async fn read(
    client: &ClientWrapper,
    begin: &str,
    mut calls: Vec<Call>,
    query: Call,
) -> Result<Vec<Row>, StoreError> {
    calls.push(query);
    let results = pipeline::run(client, begin, &calls, session::COMMIT).await;
    let mut results = results.map_err(|e| of_statement(&e.error))?;
    Ok(results.pop().unwrap_or_default())
}

/// The number in the only row of a count.
pub(crate) fn count_of(rows: &[Row]) -> Result<u64, StoreError> {
    let count = rows.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0));
    count.map(i64::unsigned_abs).map_err(|e| of_statement(&e))
}

pub(crate) async fn events(client: &ClientWrapper, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
    // The cursor may be a client's: a place that no event can have is after all of them.
    let after = i64::try_from(query.after.0).unwrap_or(i64::MAX);
    let limit = i64::from(query.limit);
    let rows = match &query.owners {
        EventOwners::One(owner) => {
            let sql = "SELECT place, owner, kind, subject, payload, at, trace FROM heddle.event
                 WHERE owner = $1 AND place > $2 ORDER BY place LIMIT $3";
            let identity = session::named(owner.to_string(), String::new());
            let query = Call::new(sql, values![owner.to_string(), after, limit]);
            read(client, session::READ_AS_APP, vec![identity], query).await?
        }
        EventOwners::Management => {
            let sql = "SELECT place, owner, kind, subject, payload, at, trace FROM heddle.event
                 WHERE left(owner, 2) <> 'p:' AND place > $1 ORDER BY place LIMIT $2";
            let query = Call::new(sql, values![after, limit]);
            read(client, session::READ_AS_MANAGEMENT, Vec::new(), query).await?
        }
    };
    rows.iter().map(event_of).collect()
}

fn event_of(row: &Row) -> Result<Event, StoreError> {
    let read = || -> Result<_, Error> {
        let (place, owner, trace): (i64, String, Option<String>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(6)?);
        Ok((place, owner, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?, trace))
    };
    let (place, owner, kind, subject, payload, at, trace) = read().map_err(|e| of_statement(&e))?;
    Ok(Event {
        cursor: EventCursor(place.unsigned_abs()),
        owner: owner.parse().map_err(|e| unreadable("event", place.to_string(), &e))?,
        kind,
        subject,
        payload,
        at: Timestamp::from_millis(at),
        trace: trace.and_then(|text| text.parse().ok()),
    })
}

pub(crate) async fn newest_event(client: &ClientWrapper) -> Result<EventCursor, StoreError> {
    let query = Call::new("SELECT last FROM heddle.event_sequence", values![]);
    let rows = read(client, session::READ_AS_WORKER, Vec::new(), query).await?;
    count_of(&rows).map(EventCursor)
}

pub(crate) async fn lookup(
    client: &ClientWrapper,
    kind: &str,
    key: &str,
) -> Result<Option<Published>, StoreError> {
    let sql = "SELECT key, owner, value FROM heddle.directory WHERE kind = $1 AND key = $2";
    let query = Call::new(sql, values![kind.to_owned(), key.to_owned()]);
    let rows = read(client, session::READ_AS_DIRECTORY, Vec::new(), query).await?;
    rows.first().map(published_of).transpose()
}

pub(crate) async fn published(
    client: &ClientWrapper,
    kind: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Published>, StoreError> {
    let sql =
        "SELECT key, owner, value FROM heddle.directory WHERE kind = $1 AND key > $2 ORDER BY key LIMIT $3";
    let after = after.unwrap_or_default().to_owned();
    let query = Call::new(sql, values![kind.to_owned(), after, i64::from(limit)]);
    let rows = read(client, session::READ_AS_DIRECTORY, Vec::new(), query).await?;
    rows.iter().map(published_of).collect()
}

/// Owners of documents of these kinds whose properties were not stored with them.
pub(crate) async fn owners_to_index(
    client: &ClientWrapper,
    kinds: &[&'static str],
    limit: u32,
) -> Result<Vec<Owner>, StoreError> {
    let sql = "SELECT DISTINCT owner FROM heddle.aggregate WHERE unindexed = 1 AND kind = ANY ($1) LIMIT $2";
    let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let query = Call::new(sql, values![kinds, i64::from(limit)]);
    let rows = read(client, session::READ_AS_INDEXER, Vec::new(), query).await?;
    let owner = |row: &Row| {
        let owner: String = row.try_get(0).map_err(|e| of_statement(&e))?;
        owner.parse().map_err(|e| unreadable("aggregate", owner.clone(), &e))
    };
    rows.iter().map(owner).collect()
}

fn published_of(row: &Row) -> Result<Published, StoreError> {
    let read = || -> Result<(String, String, String), Error> {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    };
    let (key, owner, value) = read().map_err(|e| of_statement(&e))?;
    let owner = owner.parse().map_err(|e| unreadable("directory", key.clone(), &e))?;
    Ok(Published { key, owner, value })
}

fn unreadable(kind: &str, id: String, error: &InvalidOwner) -> StoreError {
    StoreError::Unreadable { kind: kind.to_owned(), id, reason: error.to_string() }
}
