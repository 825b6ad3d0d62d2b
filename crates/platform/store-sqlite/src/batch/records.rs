//! Events, the audit log, nonces, the directory.

use heddle_store::{AuditEntry, DirectoryRow, NewEvent, Nonce, StoreError};
use rusqlite::{Connection, ToSql, params};

use super::Stamp;
use crate::error::of_statement;

fn execute(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<usize, StoreError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map_err(of_statement)
}

pub(super) fn emit(connection: &Connection, stamp: &Stamp<'_>, event: &NewEvent) -> Result<(), StoreError> {
    let sql = "INSERT INTO event (owner, kind, subject, payload, at, trace) VALUES (?, ?, ?, ?, ?, ?)";
    let values = params![stamp.owner, event.kind, event.subject, event.payload, stamp.now, stamp.trace];
    execute(connection, sql, values).map(drop)
}

pub(super) fn audit(
    connection: &Connection,
    stamp: &Stamp<'_>,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO audit (owner, actor, action, subject, reason, at, trace) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let AuditEntry { action, subject, reason } = entry;
    let values = params![stamp.owner, stamp.actor, action, subject, reason, stamp.now, stamp.trace];
    execute(connection, sql, values).map(drop)
}

pub(super) fn once(connection: &Connection, stamp: &Stamp<'_>, nonce: &Nonce) -> Result<(), StoreError> {
    let sql = "INSERT INTO nonce (owner, value, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    let values = params![stamp.owner, nonce.value, nonce.expires_at.as_millis()];
    if execute(connection, sql, values)? == 1 {
        return Ok(());
    }
    Err(StoreError::Duplicate { kind: "nonce".to_owned(), id: nonce.value.clone() })
}

pub(super) fn publish(
    connection: &Connection,
    stamp: &Stamp<'_>,
    row: &DirectoryRow,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO directory (kind, key, owner, value) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value WHERE directory.owner = excluded.owner";
    if execute(connection, sql, params![row.kind, row.key, stamp.owner, row.value])? == 1 {
        return Ok(());
    }
    Err(StoreError::Duplicate { kind: "directory".to_owned(), id: row.key.clone() })
}

pub(super) fn withdraw(
    connection: &Connection,
    stamp: &Stamp<'_>,
    kind: &str,
    key: &str,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM directory WHERE kind = ? AND key = ? AND owner = ?";
    execute(connection, sql, params![kind, key, stamp.owner]).map(drop)
}
