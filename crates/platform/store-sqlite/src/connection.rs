//! Connections with the settings that the port promises.

use std::{fs::OpenOptions, path::Path, time::Duration};

use heddle_store::StoreError;
use rusqlite::{Connection, OpenFlags};

use crate::error::{of_file, of_opened};

/// How long a statement waits for a lock that another connection holds, for instance during a checkpoint.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 128;

/// Opens the file for writing, and creates it if it is absent.
pub(crate) fn writer(path: &Path) -> Result<Connection, StoreError> {
    create(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|e| of_file(path, "cannot be opened for writing", &e))?;
    prepare(&connection).map_err(|e| of_opened(path, "cannot be used", &e))?;
    // `fullfsync` is for systems on which an fsync does not reach the disk (macOS); elsewhere it changes nothing.
    let settings = "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA journal_size_limit = 67108864;";
    let set = || {
        connection.execute_batch(settings)?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))
    };
    // SQLite says which mode it has come to, and it is no error when that is another one.
    let mode = set().map_err(|e| of_opened(path, "cannot be used", &e))?;
    if mode != "wal" {
        let why = "its file system cannot share memory between connections; keep it on a local disk";
        return Err(of_file(path, "cannot have a write-ahead log", &why));
    }
    Ok(connection)
}

/// Opens the file for reading alone.
pub(crate) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|e| of_file(path, "cannot be opened for reading", &e))?;
    prepare(&connection).map_err(|e| of_opened(path, "cannot be used", &e))?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.execute_batch("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;")
}

/// Only this user may read the file: it holds every participant's data.
fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|e| of_file(path, "cannot be opened for writing", &e))
}
