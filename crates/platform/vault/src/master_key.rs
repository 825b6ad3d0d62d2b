//! The master key: 32 bytes in a file that only the server's user can read, outside of the database.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_clock::Environment;
use zeroize::Zeroizing;

use crate::{MasterKeyError, keyring::KeyBytes};

/// Size of a master key, in bytes.
pub const MASTER_KEY_BYTES: usize = 32;

/// Permission bits that nobody but the owner of the file may have.
const OTHERS: u32 = 0o077;

/// Where the master key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterKeySource {
    /// A new key that is never written down: what is sealed with it ends with the process.
    Ephemeral,
    /// A file of the data directory, made at first start.
    Generated(PathBuf),
    /// A file that the operator provides (`HEDDLE_MASTER_KEY_FILE`) and that is never made.
    Provided(PathBuf),
}

impl MasterKeySource {
    /// The file of the key, and the file of the key that is to take its place: the same name with `.next` behind it.
    pub(crate) fn files(&self) -> Option<(&Path, PathBuf)> {
        match self {
            Self::Ephemeral => None,
            Self::Generated(path) | Self::Provided(path) => {
                let mut next = path.clone().into_os_string();
                next.push(".next");
                Some((path, next.into()))
            }
        }
    }

    /// The place, for a person.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Ephemeral => "memory (an ephemeral key)".to_owned(),
            Self::Generated(path) | Self::Provided(path) => path.display().to_string(),
        }
    }

    /// The key. `encrypted_data`: whether there is something already that only the right key can open; then no
    /// key is made.
    pub(crate) fn obtain(
        &self,
        environment: &Environment,
        encrypted_data: bool,
    ) -> Result<KeyBytes, MasterKeyError> {
        match self {
            Self::Ephemeral => Ok(Zeroizing::new(environment.random())),
            Self::Provided(path) => read(path)?.ok_or_else(|| MasterKeyError::Absent { path: path.clone() }),
            Self::Generated(path) => match read(path)? {
                Some(key) => Ok(key),
                None if encrypted_data => Err(MasterKeyError::Lost { path: path.clone() }),
                None => {
                    let file = |reason| MasterKeyError::File { path: path.clone(), reason };
                    create(path, environment).map_err(file)?;
                    let path_text = path.display().to_string();
                    tracing::info!(
                        component = "vault",
                        path = path_text,
                        "made a master key; back it up, nothing else opens the data"
                    );
                    // Two processes may have raced; the file that is there now is the key of both.
                    read(path)?.ok_or_else(|| file(ErrorKind::NotFound.into()))
                }
            },
        }
    }
}

/// The right to change the key files beside `path`, until the value is dropped or the process dies.
pub(crate) fn lock(path: &Path) -> Result<File, MasterKeyError> {
    let file_error = |reason| MasterKeyError::File { path: path.to_owned(), reason };
    // The directory: the files themselves are replaced, and may not be ours to write.
    let directory = File::open(directory_of(path)).map_err(file_error)?;
    match directory.try_lock() {
        Ok(()) => Ok(directory),
        Err(TryLockError::WouldBlock) => Err(MasterKeyError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(file_error(error)),
    }
}

/// Makes a key file that is there from now on, by us or by somebody who was faster.
pub(crate) fn make(path: &Path, environment: &Environment) -> Result<(), MasterKeyError> {
    create(path, environment).map_err(|reason| MasterKeyError::File { path: path.to_owned(), reason })
}

/// Puts the file `next` in the place of `path`, durably; nothing is done when somebody else has.
pub(crate) fn promote(path: &Path, next: &Path) -> Result<(), MasterKeyError> {
    let result = match fs::rename(next, path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    };
    result
        .and_then(|()| File::open(directory_of(path))?.sync_all())
        .map_err(|reason| MasterKeyError::File { path: path.to_owned(), reason })
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Reads a key file; `None` when there is none. Permissions are those of the file that was opened.
pub(crate) fn read(path: &Path) -> Result<Option<KeyBytes>, MasterKeyError> {
    let file_error = |reason| MasterKeyError::File { path: path.to_owned(), reason };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error(error)),
    };
    let mode = file.metadata().map_err(file_error)?.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(MasterKeyError::Exposed { path: path.to_owned(), mode });
    }
    // Room for everything that is read: a buffer that grew would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * MASTER_KEY_BYTES));
    file.take(MASTER_KEY_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(file_error)?;
    match bytes.as_slice().try_into() {
        Ok(key) => Ok(Some(Zeroizing::new(key))),
        Err(_) => Err(MasterKeyError::Size { path: path.to_owned(), bytes: bytes.len() }),
    }
}

/// Makes a key file that is either whole and durable or not there, even if the power fails midway: written
/// under another name, then linked, which fails when a key exists.
fn create(path: &Path, environment: &Environment) -> io::Result<()> {
    let directory = directory_of(path);
    let suffix = URL_SAFE_NO_PAD.encode(environment.random::<9>());
    let draft = directory.join(format!(".master-key-{suffix}"));
    let written = write(&draft, environment).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => File::open(directory)?.sync_all(),
    });
    let removed = fs::remove_file(&draft);
    written.and(removed)
}

fn write(draft: &Path, environment: &Environment) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    let key: Zeroizing<[u8; MASTER_KEY_BYTES]> = Zeroizing::new(environment.random());
    file.write_all(key.as_slice())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    fn obtain(source: &MasterKeySource) -> Result<Zeroizing<[u8; MASTER_KEY_BYTES]>, MasterKeyError> {
        source.obtain(&Environment::system(), false)
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("temporary directory");
        let path = folder.path().join("master.key");
        let source = MasterKeySource::Generated(path.clone());
        let first = obtain(&source).expect("made");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o7777, 0o600);
        assert_eq!(obtain(&source).expect("read"), first);
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1, "no draft is left");
        create(&path, &Environment::system()).expect("an existing key is no error");
        assert_eq!(obtain(&source).expect("read"), first, "and is not replaced");
    }

    #[test]
    fn no_key_is_made_beside_encrypted_data_or_where_one_was_promised() {
        let folder = tempfile::tempdir().expect("temporary directory");
        let path = folder.path().join("master.key");
        let lost = MasterKeySource::Generated(path.clone()).obtain(&Environment::system(), true);
        assert!(matches!(lost, Err(MasterKeyError::Lost { .. })), "{lost:?}");
        let absent = obtain(&MasterKeySource::Provided(path.clone()));
        assert!(matches!(absent, Err(MasterKeyError::Absent { .. })), "{absent:?}");
        assert!(!path.exists());
    }

    #[test]
    fn keys_that_others_can_read_and_files_that_are_no_keys_are_refused() {
        let folder = tempfile::tempdir().expect("temporary directory");
        let path = folder.path().join("master.key");
        let source = MasterKeySource::Provided(path.clone());
        obtain(&MasterKeySource::Generated(path.clone())).expect("made");
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
            let error = obtain(&source).expect_err("exposed");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("chmod");
        for bytes in [0, 31, 33, 4096] {
            fs::write(&path, vec![1; bytes]).expect("written");
            assert!(matches!(obtain(&source), Err(MasterKeyError::Size { .. })), "{bytes}");
        }
    }
}
