//! Connections with the settings that the port promises.

use std::{fs::OpenOptions, path::Path, time::Duration};

use heddle_store::StoreError;
use rusqlite::{Connection, OpenFlags};

use crate::error::of_file;

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
    prepare(&connection).map_err(|e| of_file(path, "cannot be used", &e))?;
    let settings = "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA journal_size_limit = 67108864;";
    connection.execute_batch(settings).map_err(|e| of_file(path, "cannot be used", &e))?;
    Ok(connection)
}

/// Opens the file for reading alone.
pub(crate) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|e| of_file(path, "cannot be opened for reading", &e))?;
    prepare(&connection).map_err(|e| of_file(path, "cannot be used", &e))?;
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
