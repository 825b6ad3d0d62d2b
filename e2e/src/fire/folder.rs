//! A folder that is there to be looked into after a test has failed.

use std::{
    io::{self, Write as _},
    path::Path,
};

use tempfile::TempDir;

/// A temporary folder. It goes away with its value, unless the test fails.
pub struct Folder(TempDir);

impl Folder {
    /// A new, empty one.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.disable_cleanup(true);
            // Nobody may be there to read it.
            writeln!(io::stderr(), "the servers' data and logs are left in {}", self.path().display()).ok();
        }
    }
}
