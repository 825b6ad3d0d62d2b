//! Reads outside a snapshot: events and the directory.

use heddle_clock::Timestamp;
use heddle_store::{Event, EventCursor, EventOwners, EventQuery, Published, StoreError};
use heddle_tenancy::InvalidOwner;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::error::of_statement;

const COLUMNS: &str = "SELECT seq, owner, kind, subject, payload, at, trace FROM event";

pub(crate) fn events(connection: &Connection, query: &EventQuery) -> Result<Vec<Event>, StoreError> {
    // The cursor may be a client's: a place that no event can have is after all of them.
    let (after, limit) = (i64::try_from(query.after.0).unwrap_or(i64::MAX), query.limit);
    let rows = || match &query.owners {
        EventOwners::One(owner) => {
            let sql = format!("{COLUMNS} WHERE owner = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map(params![owner.to_string(), after, limit], event_of)?.collect()
        }
        EventOwners::Management => {
            let sql =
                format!("{COLUMNS} WHERE substr(owner, 1, 2) <> 'p:' AND seq > ?1 ORDER BY seq LIMIT ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map(params![after, limit], event_of)?.collect::<Result<Vec<_>, _>>()
        }
    };
    rows().map_err(of_statement)?.into_iter().collect()
}

fn event_of(row: &Row<'_>) -> rusqlite::Result<Result<Event, StoreError>> {
    let (cursor, owner, trace): (u64, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(6)?);
    let (kind, subject, payload, at) = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
    let event = owner.parse().map_err(|e| unreadable("event", &cursor, &e)).map(|owner| Event {
        cursor: EventCursor(cursor),
        owner,
        kind,
        subject,
        payload,
        at: Timestamp::from_millis(at),
        trace: trace.and_then(|text| text.parse().ok()),
    });
    Ok(event)
}

pub(crate) fn newest(connection: &Connection) -> Result<EventCursor, StoreError> {
    let newest = || {
        let mut statement = connection.prepare_cached("SELECT coalesce(max(seq), 0) FROM event")?;
        statement.query_row([], |row| row.get(0).map(EventCursor))
    };
    newest().map_err(of_statement)
}

pub(crate) fn lookup(
    connection: &Connection,
    kind: &str,
    key: &str,
) -> Result<Option<Published>, StoreError> {
    let row = || {
        let sql = "SELECT key, owner, value FROM directory WHERE kind = ? AND key = ?";
        connection.prepare_cached(sql)?.query_row(params![kind, key], published_of).optional()
    };
    row().map_err(of_statement)?.transpose()
}

pub(crate) fn published(
    connection: &Connection,
    kind: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Published>, StoreError> {
    let rows = || {
        let sql = "SELECT key, owner, value FROM directory WHERE kind = ? AND key > ? ORDER BY key LIMIT ?";
        let mut statement = connection.prepare_cached(sql)?;
        let values = params![kind, after.unwrap_or_default(), limit];
        statement.query_map(values, published_of)?.collect::<Result<Vec<_>, _>>()
    };
    rows().map_err(of_statement)?.into_iter().collect()
}

fn published_of(row: &Row<'_>) -> rusqlite::Result<Result<Published, StoreError>> {
    let (key, owner, value): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let owner = owner.parse().map_err(|e| unreadable("directory", &key, &e));
    Ok(owner.map(|owner| Published { key, owner, value }))
}

fn unreadable(kind: &str, id: &dyn ToString, error: &InvalidOwner) -> StoreError {
    StoreError::Unreadable { kind: kind.to_owned(), id: id.to_string(), reason: error.to_string() }
}
