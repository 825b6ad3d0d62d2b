//! One master key takes the place of another, while servers run.
//!
//! The new key lies in a file beside the old one (`….next`) before it opens anything; then both open the vault; then the
//! new file takes the place of the old one; then the old key opens nothing any more. Whoever dies anywhere in between
//! leaves an installation that starts, and the next call goes on from there.

use std::path::Path;

use heddle_clock::Timestamp;
use heddle_tenancy::OperatorScope;

use crate::{
    EmbeddedVault, MasterKeyError, MasterKeySource, VaultError,
    embedded::{ATTEMPTS_MAX, Attempt, retry},
    keyring::{Keyring, MasterKey},
    master_key,
};

/// What a call for a rotation has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The key of this name alone opens the vault.
    Done {
        /// Its name.
        key: String,
    },
    /// Two keys open the vault, because the file is the operator's to change: the new one has to take the place of the
    /// old one wherever a replica reads it, before a second call ends the old key.
    Prepared {
        /// The name of the new key.
        key: String,
        /// The file that is to be replaced.
        file: String,
        /// The file with the new key.
        next: String,
    },
}

/// What the vault is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterKeys {
    /// The names of the keys that open the vault, oldest first, and since when: two while a rotation is under way.
    pub keys: Vec<(String, Timestamp)>,
    /// Where this server reads its key.
    pub place: String,
    /// The name of the key that lies there now; `None` when there is none, or none that is kept in a file.
    pub current: Option<String>,
    /// The name of the key that waits to take its place.
    pub next: Option<String>,
}

impl EmbeddedVault {
    /// The master keys that open this vault. Tells names and times, never a key.
    ///
    /// # Errors
    /// A key file that cannot be read, or the database.
    pub async fn master_keys(&self, operator: &OperatorScope) -> Result<MasterKeys, VaultError> {
        let ring = self.store.begin(operator).load::<Keyring>(Keyring::ID).await?;
        let (mut current, mut next) = (None, None);
        if let Some((file, next_file)) = self.source.files() {
            let name =
                |bytes: Option<_>| bytes.map(|bytes: crate::keyring::KeyBytes| MasterKey::new(&bytes).id());
            current = name(master_key::read(file)?);
            next = name(master_key::read(&next_file)?);
        }
        let keys = ring.map(|ring| ring.keys()).unwrap_or_default();
        Ok(MasterKeys { keys, place: self.source.place(), current, next })
    }

    /// Puts a new master key in the place of the old one, or goes on with what was begun. Nothing that runs notices:
    /// servers have the root key, which stays.
    ///
    /// A key of the data directory is made here. A file that the operator provides is never written: he puts the new
    /// key beside it, calls this, replaces the file wherever a replica reads it, and calls this again.
    ///
    /// # Errors
    /// [`VaultError::MasterKey`] when there is no new key or a file cannot be used; the database. Nothing is lost.
    pub async fn rotate_master_key(&self, operator: &OperatorScope) -> Result<Rotation, VaultError> {
        let (file, next_file) = self.source.files().ok_or(MasterKeyError::Unkept)?;
        // One at a time, whoever asks: between the reading of a file and its renaming it must be the same file.
        let _lock = master_key::lock(file)?;
        let made_here = matches!(self.source, MasterKeySource::Generated(_));
        let absent = || MasterKeyError::Lost { path: file.to_owned() };
        let wrong = || MasterKeyError::Wrong { place: self.source.place() };
        let mut attempts = 0;
        loop {
            let current = MasterKey::new(&*master_key::read(file)?.ok_or_else(absent)?);
            let next = master_key::read(&next_file)?.map(|bytes| MasterKey::new(&bytes));
            let mut transaction = self.store.begin(operator);
            let ring = transaction.load::<Keyring>(Keyring::ID).await?.ok_or_else(wrong)?;
            let Some(root) = current.open(&ring) else {
                // Another replica may have ended this key since the file was read.
                attempts += 1;
                if attempts < ATTEMPTS_MAX && key_in(file)? != Some(current.id()) {
                    continue;
                }
                return Err(wrong().into());
            };
            if let Some(next) = next.filter(|next| next.id() != current.id()) {
                if !ring.is_opened_by(&next) {
                    let with_next = ring.with(self.store.environment(), &root, &next);
                    transaction.save(&ring, &with_next);
                    transaction.audit("vault.master-key.add", next.id());
                    if let Attempt::Again = retry(transaction.commit().await, &mut attempts)? {
                        continue;
                    }
                }
                if !made_here {
                    let (file, next_file) = (file.display().to_string(), next_file.display().to_string());
                    return Ok(Rotation::Prepared { key: next.id(), file, next: next_file });
                }
                master_key::promote(file, &next_file)?;
            } else if ring.keys().len() > 1 {
                transaction.save(&ring, &ring.only(&current));
                transaction.audit("vault.master-key.end-others", current.id());
                if let Attempt::Done = retry(transaction.commit().await, &mut attempts)? {
                    return Ok(Rotation::Done { key: current.id() });
                }
            } else if made_here {
                master_key::make(&next_file, self.store.environment())?;
            } else {
                return Err(MasterKeyError::NoNext { next: next_file }.into());
            }
        }
    }
}

/// The name of the key in a file; `None` when there is no file.
fn key_in(file: &Path) -> Result<Option<String>, MasterKeyError> {
    Ok(master_key::read(file)?.map(|bytes| MasterKey::new(&bytes).id()))
}
