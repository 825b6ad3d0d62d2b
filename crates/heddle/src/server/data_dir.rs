//! The data directory: embedded state, keys, uploads. Nobody but the server's user may look into it.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

/// A data directory that cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(clippy::enum_variant_names, reason = "each says what it is not")]
pub enum DataDirError {
    /// It cannot be made.
    #[error("the data directory {} cannot be made: {source}; name another one with --data-dir", path.display())]
    NotMade {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It cannot be read or written.
    #[error(
        "the data directory {} cannot be used: {source}; give this user access to it, or name another one",
        path.display()
    )]
    NotUsable {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not a directory.
    #[error("the data directory {} is not a directory; name another one", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
}

/// The file of the embedded database.
pub const DATABASE_FILE: &str = "heddle.db";

/// A data directory that exists and can be written.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Makes the directory if it is missing, with mode 0700, and tries to write into it.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let owned = || path.to_owned();
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_dir() => return Err(DataDirError::NotADirectory { path: owned() }),
            Ok(metadata) => warn_if_open(path, metadata.mode()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|source| DataDirError::NotMade { path: owned(), source })?,
            Err(source) => return Err(DataDirError::NotUsable { path: owned(), source }),
        }
        let unusable = |source| DataDirError::NotUsable { path: owned(), source };
        fs::read_dir(path).map_err(unusable)?;
        let probe = path.join(format!(".probe-{}", std::process::id()));
        fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)).map_err(unusable)?;
        let absolute = fs::canonicalize(path).map_err(unusable)?;
        Ok(Self(absolute))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The embedded database.
    pub fn database(&self) -> PathBuf {
        self.0.join(DATABASE_FILE)
    }

    /// The master key of the embedded vault.
    pub fn master_key(&self) -> PathBuf {
        self.0.join("master.key")
    }

    /// Uploads.
    pub fn blobs(&self) -> PathBuf {
        self.0.join("blobs")
    }

    /// The end of the audit log, kept beside the database.
    pub fn audit_checkpoint(&self) -> PathBuf {
        audit_checkpoint(&self.0)
    }

    /// The operator's generated credentials.
    pub fn credentials(&self) -> PathBuf {
        self.0.join("operator.json")
    }
}

/// Where a server with this data directory writes the end of the audit log down.
pub fn audit_checkpoint(data_dir: &Path) -> PathBuf {
    data_dir.join("audit.checkpoint")
}

fn warn_if_open(path: &Path, mode: u32) {
    if mode & 0o077 != 0 {
        tracing::warn!(
            component = "server",
            action = "open",
            path = %path.display(),
            mode = format!("{:o}", mode & 0o777),
            "others may look into the data directory; chmod 700 it"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_directory_is_made_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a/b");
        let data = DataDir::open(&path).expect("made");
        assert_eq!(fs::metadata(data.path()).expect("there").mode() & 0o777, 0o700);
        assert!(DataDir::open(&path).is_ok(), "a second start");
    }

    #[test]
    fn a_file_in_its_place_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, "x").expect("written");
        let error = DataDir::open(&path).expect_err("a file").to_string();
        assert!(
            error.contains("is not a directory") && error.contains(&path.display().to_string()),
            "{error}"
        );
    }
}
