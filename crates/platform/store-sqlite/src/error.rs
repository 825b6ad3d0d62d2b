//! What SQLite says, in the port's words.

use std::path::Path;

use heddle_store::StoreError;
use rusqlite::{Error, ErrorCode};

/// An error of a statement: temporary when SQLite was busy or the disk failed, else a defect of the
/// file or of this crate.
#[expect(clippy::needless_pass_by_value, reason = "its place is map_err, which passes by value")]
pub(crate) fn of_statement(error: Error) -> StoreError {
    of(&error)
}

/// An error of a group of commits: whatever is not known to be otherwise passes.
pub(crate) fn of_group(error: &Error) -> StoreError {
    match of(error) {
        StoreError::Unusable { reason } => StoreError::Unavailable { reason },
        other => other,
    }
}

fn of(error: &Error) -> StoreError {
    let reason = format!("SQLite: {error}");
    if error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
        // There is no room for what connections share beside the file.
        return StoreError::Full { reason };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { reason },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { reason },
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory
            | ErrorCode::OperationInterrupted,
        ) => StoreError::Unavailable { reason },
        _ => StoreError::Unusable { reason },
    }
}

/// An error of SQLite about a file that was just opened.
pub(crate) fn of_opened(path: &Path, problem: &str, error: &Error) -> StoreError {
    match of(error) {
        found @ (StoreError::Damaged { .. } | StoreError::Full { .. })
            if error.sqlite_error_code() != Some(ErrorCode::NotADatabase) =>
        {
            at_open(path, found)
        }
        _ => of_file(path, problem, error),
    }
}

/// An error of a file.
pub(crate) fn of_file(path: &Path, problem: &str, error: &dyn std::fmt::Display) -> StoreError {
    let path = path.display();
    StoreError::Unusable { reason: format!("the database file '{path}' {problem}: {error}") }
}

/// An error of the first statements on a file: which one it is about.
pub(crate) fn at_open(path: &Path, error: StoreError) -> StoreError {
    let path = path.display();
    match error {
        StoreError::Damaged { reason } => {
            StoreError::Damaged { reason: format!("the file '{path}': {reason}") }
        }
        StoreError::Full { reason } => StoreError::Full { reason: format!("the file '{path}': {reason}") },
        StoreError::Unavailable { reason } => {
            StoreError::Unavailable { reason: format!("the file '{path}': {reason}") }
        }
        other => other,
    }
}

pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable { reason: "it is closed".to_owned() }
}

/// Whether a row of another key stands in the way.
pub(crate) fn is_unique_violation(error: &Error) -> bool {
    error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn failure(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn a_full_disk_and_a_damaged_file_have_words_of_their_own() {
        assert!(matches!(of_statement(failure(ffi::SQLITE_FULL)), StoreError::Full { .. }));
        assert!(matches!(of_statement(failure(ffi::SQLITE_IOERR_SHMSIZE)), StoreError::Full { .. }));
        assert!(matches!(of_statement(failure(ffi::SQLITE_CORRUPT)), StoreError::Damaged { .. }));
        assert!(matches!(of_statement(failure(ffi::SQLITE_CORRUPT_INDEX)), StoreError::Damaged { .. }));
        assert!(matches!(of_statement(failure(ffi::SQLITE_IOERR_WRITE)), StoreError::Unavailable { .. }));
        assert!(matches!(of_statement(failure(ffi::SQLITE_ERROR)), StoreError::Unusable { .. }));
        assert!(matches!(of_group(&failure(ffi::SQLITE_ERROR)), StoreError::Unavailable { .. }));
        assert!(matches!(of_group(&failure(ffi::SQLITE_FULL)), StoreError::Full { .. }));
    }
}
