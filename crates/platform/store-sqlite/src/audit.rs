//! The audit log: sealed by the writer, read by anybody with the file.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_store::{
    StoreError,
    audit::{AuditHead, AuditLog, AuditQuery, AuditRecord, AuditState, SealedRecord},
};
use rusqlite::{Connection, Row, params};

use crate::{
    error::{of_file, of_statement},
    readers::Readers,
};

const COLUMNS: &str = "SELECT seq, owner, actor, action, subject, reason, at, trace, place, hash FROM audit";

/// Seals what waits; there is one writer, so nobody else does at the same time.
pub(crate) fn seal(connection: &Connection, limit: u32) -> Result<Option<AuditHead>, StoreError> {
    let waiting = || {
        let sql = format!("{COLUMNS} WHERE place IS NULL ORDER BY seq LIMIT ?");
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_map([limit], record_of)?.collect::<Result<Vec<_>, _>>()
    };
    let waiting = waiting().map_err(of_statement)?;
    if waiting.is_empty() {
        return Ok(None);
    }
    let (sealed, head) = head(connection).map_err(of_statement)?.seal(waiting);
    let write = || {
        let sql = "UPDATE audit SET place = ?, hash = ? WHERE seq = ? AND place IS NULL";
        let mut statement = connection.prepare_cached(sql)?;
        for entry in &sealed {
            statement.execute(params![entry.place, entry.hash, entry.record.seq])?;
        }
        let sql = "UPDATE audit_head SET place = ?, hash = ?";
        connection.prepare_cached(sql)?.execute(params![head.place, head.hash])
    };
    write().map_err(of_statement)?;
    Ok(Some(head))
}

fn head(connection: &Connection) -> rusqlite::Result<AuditHead> {
    let mut statement = connection.prepare_cached("SELECT place, hash FROM audit_head")?;
    statement.query_row([], |row| Ok(AuditHead { place: row.get(0)?, hash: row.get(1)? }))
}

fn record_of(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    Ok(AuditRecord {
        seq: row.get(0)?,
        owner: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        reason: row.get(5)?,
        at: Timestamp::from_millis(row.get(6)?),
        trace: row.get(7)?,
    })
}

fn entries(connection: &Connection, query: &AuditQuery) -> rusqlite::Result<Vec<SealedRecord>> {
    let of_owner = if query.owner.is_some() { "owner = ?3 AND" } else { "?3 IS NULL AND" };
    let sql = format!("{COLUMNS} WHERE {of_owner} place > ?1 ORDER BY place LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    // A place of anybody's making: none that an entry can have is after all of them.
    let after = i64::try_from(query.after).unwrap_or(i64::MAX);
    let sealed = |row: &Row<'_>| {
        // What was changed by hand may be anything.
        let hash: Option<String> = row.get(9)?;
        let hash = hash.unwrap_or_default();
        Ok(SealedRecord { place: row.get(8)?, record: record_of(row)?, hash })
    };
    statement.query_map(params![after, query.limit, query.owner], sealed)?.collect()
}

/// The audit log of a database file that another process may be using. Nothing of it is changed.
#[derive(Debug)]
pub struct SqliteAudit(pub(crate) Arc<Readers>);

impl SqliteAudit {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// `Unusable` when there is no such file, or it holds no audit log that is sealed.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.is_file() {
            return Err(of_file(path, "cannot be read", &"there is no such file"));
        }
        let readers = Readers::new(path.to_owned(), None);
        let (sealed, path) = ("SELECT count(*) FROM pragma_table_info('audit_head')", path.to_owned());
        let known = readers.read(move |connection| {
            let count = connection.query_row(sealed, [], |row| row.get::<_, u64>(0));
            count.map_err(|e| of_file(&path, "cannot be used", &e)).map(|count| (count > 0, path))
        });
        match known.await? {
            (true, _) => Ok(Self(readers)),
            (false, path) => Err(of_file(
                &path,
                "has no sealed audit log",
                &"it is of an older release; start this release on it once",
            )),
        }
    }
}

#[async_trait]
impl AuditLog for SqliteAudit {
    async fn audit_state(&self) -> Result<AuditState, StoreError> {
        let state = |connection: &Connection| {
            let sql = "SELECT place, hash, (SELECT count(*) FROM audit WHERE place IS NULL) FROM audit_head";
            connection.prepare_cached(sql)?.query_row([], |row| {
                let head = AuditHead { place: row.get(0)?, hash: row.get(1)? };
                Ok(AuditState { head, unsealed: row.get(2)? })
            })
        };
        self.0.read(move |connection| state(connection).map_err(of_statement)).await
    }

    async fn audit_entries(&self, query: AuditQuery) -> Result<Vec<SealedRecord>, StoreError> {
        self.0.read(move |connection| entries(connection, &query).map_err(of_statement)).await
    }
}
