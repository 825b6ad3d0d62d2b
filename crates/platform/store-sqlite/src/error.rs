//! What SQLite says, in the port's words.

use std::path::Path;

use heddle_store::StoreError;
use rusqlite::{Error, ErrorCode};

/// An error of a statement: temporary when SQLite was busy or the disk failed or was full, else a defect of the
/// file or of this crate.
#[expect(clippy::needless_pass_by_value, reason = "its place is map_err, which passes by value")]
pub(crate) fn of_statement(error: Error) -> StoreError {
    let reason = format!("SQLite: {error}");
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::OutOfMemory
            | ErrorCode::OperationInterrupted,
        ) => StoreError::Unavailable { reason },
        _ => StoreError::Unusable { reason },
    }
}

/// An error of a file.
pub(crate) fn of_file(path: &Path, problem: &str, error: &dyn std::fmt::Display) -> StoreError {
    let path = path.display();
    StoreError::Unusable { reason: format!("the database file '{path}' {problem}: {error}") }
}

pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable { reason: "it is closed".to_owned() }
}

/// Whether a row of another key stands in the way.
pub(crate) fn is_unique_violation(error: &Error) -> bool {
    error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}
