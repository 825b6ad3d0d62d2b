//! Documents: compare and set.

use heddle_store::{Columns, ExpectedVersion, StoreError, filter::Property};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Stamp, properties};
use crate::error::{is_unique_violation, of_statement};

/// What is put.
pub(super) struct Put {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) columns: Columns,
    pub(super) properties: Option<Vec<Property>>,
    pub(super) document: String,
}

fn stale(kind: &str, id: &str) -> StoreError {
    StoreError::Stale { kind: kind.to_owned(), id: id.to_owned() }
}

fn duplicate(kind: &str, id: &str) -> StoreError {
    StoreError::Duplicate { kind: kind.to_owned(), id: id.to_owned() }
}

pub(super) fn put(
    connection: &Connection,
    stamp: &Stamp<'_>,
    put: &Put,
    expected: ExpectedVersion,
) -> Result<(), StoreError> {
    // A peer neither writes another peer's rows nor makes its own rows another's.
    if let (Some(peer), Some(named)) = (stamp.peer, &put.columns.counter_party)
        && peer != named
    {
        return Err(stale(put.kind, &put.id));
    }
    let written = match expected {
        ExpectedVersion::Absent => insert(connection, stamp, put),
        ExpectedVersion::Exactly(version) => update(connection, stamp, put, version),
    };
    match (written, expected) {
        (Ok(true), expected) => {
            let fresh = expected == ExpectedVersion::Absent;
            properties::put(connection, stamp, put, fresh).map_err(of_statement)
        }
        (Ok(false), ExpectedVersion::Absent) => Err(duplicate(put.kind, &put.id)),
        (Ok(false), ExpectedVersion::Exactly(_)) => Err(stale(put.kind, &put.id)),
        // The id was free, so it is the unique key that is taken.
        (Err(error), _) if is_unique_violation(&error) => {
            Err(duplicate(put.kind, put.columns.unique_key.as_deref().unwrap_or(&put.id)))
        }
        (Err(error), _) => Err(of_statement(error)),
    }
}

fn insert(connection: &Connection, stamp: &Stamp<'_>, put: &Put) -> rusqlite::Result<bool> {
    let columns = &put.columns;
    let mut statement = connection.prepare_cached(
        "INSERT INTO aggregate (owner, kind, id, version, document, state, counter_party, correlation, reference,
                                unique_key, due_at, created_at, updated_at, indexed)
         VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, 1)
         ON CONFLICT (owner, kind, id) DO NOTHING",
    )?;
    let rows = statement.execute(params![
        stamp.owner,
        put.kind,
        put.id,
        put.document,
        columns.state,
        columns.counter_party,
        columns.correlation,
        columns.reference,
        columns.unique_key,
        columns.due_at.map(|due| due.as_millis()),
        stamp.now,
    ])?;
    Ok(rows == 1)
}

fn update(connection: &Connection, stamp: &Stamp<'_>, put: &Put, version: u64) -> rusqlite::Result<bool> {
    let columns = &put.columns;
    let mut statement = connection.prepare_cached(
        "UPDATE aggregate
         SET version = version + 1, document = ?5, state = ?6, counter_party = ?7, correlation = ?8,
             reference = ?9, unique_key = ?10, due_at = ?11, updated_at = ?12, indexed = version + 1
         WHERE owner = ?1 AND kind = ?2 AND id = ?3 AND version = ?4
           AND (?13 IS NULL OR counter_party IS NULL OR counter_party = ?13)",
    )?;
    let rows = statement.execute(params![
        stamp.owner,
        put.kind,
        put.id,
        version,
        put.document,
        columns.state,
        columns.counter_party,
        columns.correlation,
        columns.reference,
        columns.unique_key,
        columns.due_at.map(|due| due.as_millis()),
        stamp.now,
        stamp.peer,
    ])?;
    Ok(rows == 1)
}

pub(super) fn delete(
    connection: &Connection,
    stamp: &Stamp<'_>,
    kind: &str,
    id: &str,
    version: u64,
) -> Result<(), StoreError> {
    let delete = || {
        let mut statement = connection.prepare_cached(
            "DELETE FROM aggregate
             WHERE owner = ?1 AND kind = ?2 AND id = ?3 AND version = ?4
               AND (?5 IS NULL OR counter_party IS NULL OR counter_party = ?5)",
        )?;
        statement.execute(params![stamp.owner, kind, id, version, stamp.peer])
    };
    if delete().map_err(of_statement)? == 1 { Ok(()) } else { Err(stale(kind, id)) }
}

pub(super) fn check(
    connection: &Connection,
    stamp: &Stamp<'_>,
    kind: &str,
    id: &str,
    expected: ExpectedVersion,
) -> Result<(), StoreError> {
    let version = || {
        let mut statement = connection.prepare_cached(
            "SELECT version FROM aggregate
             WHERE owner = ?1 AND kind = ?2 AND id = ?3
               AND (?4 IS NULL OR counter_party IS NULL OR counter_party = ?4)",
        )?;
        statement.query_row(params![stamp.owner, kind, id, stamp.peer], |row| row.get::<_, u64>(0)).optional()
    };
    let as_expected = match (version().map_err(of_statement)?, expected) {
        (None, ExpectedVersion::Absent) => true,
        (Some(version), ExpectedVersion::Exactly(expected)) => version == expected,
        _ => false,
    };
    if as_expected { Ok(()) } else { Err(stale(kind, id)) }
}
