//! The end of the chain, in a file.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use heddle_store::audit::AuditHead;

/// A file that holds the last place and hash that were sealed, as `PLACE:HASH`.
#[derive(Debug, Clone)]
pub struct Checkpoint(PathBuf);

impl Checkpoint {
    /// In the file at `path`.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What it holds; `None` when there is no file. Fails with a sentence.
    pub fn read(&self) -> Result<Option<AuditHead>, String> {
        match fs::read_to_string(&self.0) {
            Ok(text) => text.parse().map(Some).map_err(|error| format!("{}: {error}", self.0.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", self.0.display())),
        }
    }

    /// Replaces it, durably, with the old content until the new one is whole. Fails with a sentence.
    pub fn write(&self, head: &AuditHead) -> Result<(), String> {
        let next = self.0.with_extension("next");
        let write = || {
            let mut file = File::create(&next)?;
            writeln!(file, "{head}")?;
            file.sync_all()?;
            fs::rename(&next, &self.0)
        };
        write().map_err(|error| format!("{}: {error}", self.0.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_was_written_and_nonsense_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let checkpoint = Checkpoint::at(folder.path().join("audit.checkpoint"));
        assert_eq!(checkpoint.read(), Ok(None));
        let head = AuditHead { place: 3, ..AuditHead::genesis() };
        for head in [AuditHead::genesis(), head] {
            checkpoint.write(&head).expect("written");
            assert_eq!(checkpoint.read(), Ok(Some(head)));
        }
        fs::write(checkpoint.path(), "3").expect("written");
        let error = checkpoint.read().expect_err("half of one");
        assert!(error.contains("audit.checkpoint") && error.contains("no checkpoint"), "{error}");
    }
}
