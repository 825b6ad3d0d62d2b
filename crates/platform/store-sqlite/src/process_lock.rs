//! One process per database file.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use heddle_store::StoreError;

use crate::error::of_file;

/// Held as long as the database is open; the operating system frees it when the process dies.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    _file: File,
}

impl ProcessLock {
    /// Takes the lock of the database at `path`, or says that somebody else has it.
    pub(crate) fn take(path: &Path) -> Result<Self, StoreError> {
        let beside = lock_path(path);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&beside).map_err(|e| of_file(&beside, "cannot be opened for writing", &e))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Unusable {
                reason: format!(
                    "the database file '{}' is in use by another process; stop that one, or use PostgreSQL, which \
                     several processes can share",
                    path.display()
                ),
            }),
            Err(TryLockError::Error(error)) => Err(of_file(&beside, "cannot be locked", &error)),
        }
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
