//! A look at a database file before a server, or beside one. It changes nothing.

use std::{
    fs::{OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use heddle_store::{
    StoreError,
    finding::{Examined, Finding},
};
use heddle_tenancy::Owner;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::{
    error::{of_opened, of_statement},
    migration,
};

const FILE: &str = "database.file";

/// Tries everything that a server needs of the database at `path`, and reads the installation's documents `wanted`, each
/// a kind and an id. Blocks for as long as reading a file does.
#[must_use]
pub fn examine(path: &Path, wanted: &[(&str, &str)]) -> Examined {
    let mut examined = Examined::default();
    let tried = format!("open {}", path.display());
    if !path.exists() {
        examined.findings.push(Finding::ok(FILE, tried, "none yet; the first start makes it"));
        return examined;
    }
    let used = is_used(path);
    let opened = open(path, used).and_then(|connection| {
        let mode: String =
            connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(of_statement)?;
        Ok((migration::newest(&connection)?, mode, connection))
    });
    let ((number, readable_from), mode, connection) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let finding = Finding::ok(FILE, tried, reason(&error));
            let advice = "give this user access to the file; put a damaged one back from a backup";
            examined.findings.push(finding.failure(advice));
            return examined;
        }
    };
    let by = if used { "a running server uses it" } else { "nobody uses it" };
    examined.findings.push(Finding::ok(FILE, tried, format!("a database; {by}; journal mode {mode}")));
    examined.findings.push(schema(number, readable_from));
    for (kind, id) in wanted {
        match document(&connection, kind, id) {
            Ok(document) => examined.documents.push(document),
            Err(error) => {
                let finding = Finding::ok(FILE, "read the installation's own rows", reason(&error));
                examined.findings.push(finding.failure("put the file back from a backup"));
                break;
            }
        }
    }
    examined
}

fn reason(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable { reason } | StoreError::Unusable { reason } => reason.clone(),
        other => other.to_string(),
    }
}

/// Whether a server holds its lock. A lock file that cannot be opened is nobody's.
fn is_used(path: &Path) -> bool {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let opened = OpenOptions::new().read(true).open(PathBuf::from(beside));
    opened.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A file that nobody writes is taken as it is, and nothing is made beside it.
fn open(path: &Path, used: bool) -> Result<Connection, StoreError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let at_rest = !used && !Path::new(&log).exists();
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                address.push(char::from(*byte));
            }
            other => address.push_str(&format!("%{other:02X}")),
        }
    }
    address.push_str(if at_rest { "?mode=ro&immutable=1" } else { "?mode=ro" });
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(address, flags).map_err(|e| of_opened(path, "cannot be opened", &e))
}

fn schema(number: u32, readable_from: u32) -> Finding {
    let known = migration::known();
    let tried = "compare the schema with this release";
    if readable_from > known {
        let happened = format!(
            "schema {number} needs a release that knows schema {readable_from}; this one knows {known}"
        );
        return Finding::ok("database.schema", tried, happened).failure("install the newer release");
    }
    if known > number {
        let pending = known - number;
        let happened = format!("schema {number}; the next start applies {pending} more steps, up to {known}");
        return Finding::ok("database.schema", tried, happened)
            .warning("back the file up before the next start");
    }
    Finding::ok("database.schema", tried, format!("schema {number}; this release knows {known}"))
}

fn document(connection: &Connection, kind: &str, id: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT document FROM aggregate WHERE owner = ? AND kind = ? AND id = ?";
    let owner = Owner::Installation.to_string();
    connection.query_row(sql, [&owner, kind, id], |row| row.get(0)).optional().map_err(of_statement)
}
