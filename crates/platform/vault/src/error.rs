//! Why a vault did not do what it was asked. Never holds a secret.

use std::path::PathBuf;

use heddle_jose::JoseError;
use heddle_store::StoreError;
use heddle_tenancy::Owner;

use crate::{ALIAS_BYTES_MAX, MASTER_KEY_BYTES, SECRET_BYTES_MAX};

/// Why a vault did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// An alias is empty, too long or holds a control character.
    #[error("an alias of the vault has 1 to {ALIAS_BYTES_MAX} bytes and no control characters")]
    Alias,
    /// A secret is larger than a vault keeps.
    #[error("the secret '{alias}' has more than {SECRET_BYTES_MAX} bytes")]
    TooLarge {
        /// Its alias.
        alias: String,
    },
    /// A key that was to be used is not there.
    #[error("the vault of {owner} holds no key '{alias}'")]
    KeyMissing {
        /// Whose vault.
        owner: Owner,
        /// The alias.
        alias: String,
    },
    /// The alias stands for a key where a secret was asked for, or the other way round.
    #[error("'{alias}' of {owner} is not a {expected}")]
    Content {
        /// Whose vault.
        owner: Owner,
        /// The alias.
        alias: String,
        /// `secret` or `key`.
        expected: &'static str,
    },
    /// A scope of a counter-party may have something signed for it, and nothing more.
    #[error("a counter-party reaches no secrets and changes no keys")]
    CounterParty,
    /// An entry does not open: it was changed or moved, or sealed under another master key.
    #[error(
        "the entry '{alias}' of {owner} cannot be decrypted; it was damaged, moved or sealed with another master key"
    )]
    Sealed {
        /// Whose vault.
        owner: Owner,
        /// The alias.
        alias: String,
    },
    /// The master key cannot be used.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// A key cannot be made or used.
    #[error("the key cannot be used: {0}")]
    Key(#[from] JoseError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a server cannot work with its master key. All of these are for the person who starts it.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file was given by name, and is not there.
    #[error("the master key file {} does not exist; make one with: (umask 077; head -c {MASTER_KEY_BYTES} /dev/urandom > '{}')", path.display(), path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// There is encrypted data, and its key is gone. A new key could not open it, so none is made.
    #[error("the master key {} is missing, but there is data encrypted with it; put the key file back from its backup (nothing else can open that data), or start with an empty database", path.display())]
    Lost {
        /// Where the key should be.
        path: PathBuf,
    },
    /// Others than the owner of the file may read or change it.
    #[error("the master key {} can be accessed by others (mode {mode:04o}); run: chmod 600 '{}'", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is no key.
    #[error("the master key {} must hold exactly {MASTER_KEY_BYTES} bytes, but holds {}", path.display(), if *bytes > MASTER_KEY_BYTES { "more".to_owned() } else { bytes.to_string() })]
    Size {
        /// The file.
        path: PathBuf,
        /// How many bytes were read, at most one more than a key has.
        bytes: usize,
    },
    /// It is a key, and not the one that the data was encrypted with.
    #[error(
        "the master key in {place} is not the one that this data was encrypted with; name the right key file, or start with an empty database"
    )]
    Wrong {
        /// The file, or what else the key is.
        place: String,
    },
    /// A rotation needs a new key, and the file is the operator's.
    #[error("there is no new master key: make one with: (umask 077; head -c {MASTER_KEY_BYTES} /dev/urandom > '{}'), and ask again", next.display())]
    NoNext {
        /// Where the new key should be.
        next: PathBuf,
    },
    /// Somebody else rotates it at this moment.
    #[error("another rotation of the master key {} is under way; ask again when it has ended", path.display())]
    Busy {
        /// The key file.
        path: PathBuf,
    },
    /// The key is in memory alone.
    #[error(
        "the master key of this server lies in its memory alone and ends with it; nothing is there to rotate"
    )]
    Unkept,
    /// The file system.
    #[error("the master key {} cannot be read or created: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
}
