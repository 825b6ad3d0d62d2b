//! The vault inside the installation's own database: encrypted rows, the master key outside.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_jose::{Algorithm, Jwk, SoftwareKey};
use heddle_store::{Query, Store, StoreError, Transaction};
use heddle_tenancy::{Access, OperatorScope, Owner, Scope};

use crate::{
    MasterKeyError, MasterKeySource, SECRET_BYTES_MAX, Secret, Vault, VaultError,
    cache::{KeyCache, OpenKey},
    keyring::{Keyring, MasterKey},
    port::check_alias,
    sealing::{Content, SealedEntry, Sealer},
};

/// Most opened keys that are kept in memory, over all owners.
const OPEN_KEYS_MAX: usize = 8192;
/// How long an opened key is used before the stored entry is looked at again: the time that a deletion by
/// another replica may take to be noticed.
const OPEN_KEY_UNCHECKED_MAX: Duration = Duration::from_secs(60);
/// How often a write is tried when others change the same entry.
pub(crate) const ATTEMPTS_MAX: u32 = 8;

/// Keeps entries as aggregates of kind `vault` of their owners.
pub struct EmbeddedVault {
    pub(crate) store: Store,
    pub(crate) source: MasterKeySource,
    sealer: Sealer,
    open_keys: KeyCache,
}

impl EmbeddedVault {
    /// Opens the vault of a database; at first start makes the master key, if its source is one that is made.
    ///
    /// # Errors
    /// [`VaultError::MasterKey`] when the key is missing, exposed, or not the one that the data was encrypted
    /// with.
    pub async fn open(
        store: Store,
        operator: &OperatorScope,
        source: &MasterKeySource,
    ) -> Result<Self, VaultError> {
        let known = keyring_of(&store, operator).await?;
        let master = MasterKey::new(&*source.obtain(store.environment(), known.is_some())?);
        let ring = match known {
            Some(ring) => ring,
            None => Self::found(&store, operator, &master).await?,
        };
        let root = master.open(&ring).ok_or_else(|| MasterKeyError::Wrong { place: source.place() })?;
        let (sealer, open_keys) = (Sealer::new(&root), KeyCache::new(OPEN_KEYS_MAX));
        Ok(Self { store, source: source.clone(), sealer, open_keys })
    }

    /// Of replicas that start at the same time, one makes the root key; the others take it.
    async fn found(
        store: &Store,
        operator: &OperatorScope,
        master: &MasterKey,
    ) -> Result<Keyring, VaultError> {
        let ring = Keyring::found(store.environment(), master);
        let mut transaction = store.begin(operator);
        transaction.insert(&ring);
        match transaction.commit().await {
            Ok(()) => Ok(ring),
            Err(StoreError::Duplicate { .. }) => Ok(keyring_of(store, operator).await?.unwrap_or(ring)),
            Err(error) => Err(error.into()),
        }
    }

    fn seal(&self, access: &Access, entry: (&str, Content), plaintext: &[u8]) -> SealedEntry {
        self.sealer.seal(self.store.environment(), access.owner(), entry, plaintext)
    }

    /// The key, opened now or before.
    async fn open_key(&self, scope: &dyn Scope, alias: &str) -> Result<Option<Arc<OpenKey>>, VaultError> {
        let access = scope.access();
        let owner = access.owner();
        let now = self.store.environment().now();
        let (found, ticket) = self.open_keys.find(owner, alias);
        if let Some(key) = &found
            && now.since(key.checked_at()) < OPEN_KEY_UNCHECKED_MAX
        {
            return Ok(found);
        }
        check_alias(alias)?;
        let Some(entry) = self.store.begin(scope).load::<SealedEntry>(alias).await? else {
            self.open_keys.forget(owner, alias);
            return Ok(None);
        };
        if let Some(key) = found.filter(|key| key.nonce == entry.nonce) {
            key.seen(now);
            return Ok(Some(key));
        }
        expect_content(owner, alias, &entry, Content::Key)?;
        let key = SoftwareKey::from_pkcs8(&self.sealer.open(owner, &entry)?)?;
        let key = Arc::new(OpenKey::new(key, entry.nonce.clone(), now));
        self.open_keys.keep(ticket, owner, alias, key.clone());
        Ok(Some(key))
    }

    async fn delete(&self, scope: &dyn Scope, alias: &str, content: Content) -> Result<bool, VaultError> {
        let access = own_access(scope.access())?;
        check_alias(alias)?;
        let mut attempts = 0;
        loop {
            let mut transaction = self.store.begin(scope);
            let Some(entry) = transaction.load::<SealedEntry>(alias).await? else {
                // Deleted by another replica, perhaps, while it is still open in this one.
                self.open_keys.forget(access.owner(), alias);
                return Ok(false);
            };
            expect_content(access.owner(), alias, &entry, content)?;
            transaction.delete(&entry);
            let result = transaction.commit().await;
            self.open_keys.forget(access.owner(), alias);
            match retry(result, &mut attempts)? {
                Attempt::Done => return Ok(true),
                Attempt::Again => {}
            }
        }
    }
}

#[async_trait]
impl Vault for EmbeddedVault {
    async fn secret(&self, scope: &dyn Scope, alias: &str) -> Result<Option<Secret>, VaultError> {
        let access = own_access(scope.access())?;
        check_alias(alias)?;
        let Some(entry) = self.store.begin(scope).load::<SealedEntry>(alias).await? else { return Ok(None) };
        expect_content(access.owner(), alias, &entry, Content::Secret)?;
        let mut plaintext = self.sealer.open(access.owner(), &entry)?;
        Ok(Some(Secret::new(std::mem::take(&mut *plaintext))))
    }

    async fn store_secret(&self, scope: &dyn Scope, alias: &str, secret: &Secret) -> Result<(), VaultError> {
        let mut attempts = 0;
        loop {
            let mut transaction = self.store.begin(scope);
            self.store_secret_in(&mut transaction, alias, secret).await?;
            if let Attempt::Done = retry(transaction.commit().await, &mut attempts)? {
                return Ok(());
            }
        }
    }

    async fn store_secret_in(
        &self,
        transaction: &mut Transaction<'_>,
        alias: &str,
        secret: &Secret,
    ) -> Result<(), VaultError> {
        let access = own_access(transaction.access())?;
        check_alias(alias)?;
        if secret.expose().len() > SECRET_BYTES_MAX {
            return Err(VaultError::TooLarge { alias: alias.to_owned() });
        }
        let sealed = self.seal(&access, (alias, Content::Secret), secret.expose());
        match transaction.load::<SealedEntry>(alias).await? {
            None => transaction.insert(&sealed),
            Some(entry) => {
                expect_content(access.owner(), alias, &entry, Content::Secret)?;
                transaction.save(&entry, &sealed);
            }
        }
        Ok(())
    }

    async fn delete_secret(&self, scope: &dyn Scope, alias: &str) -> Result<bool, VaultError> {
        self.delete(scope, alias, Content::Secret).await
    }

    async fn generate_key(
        &self,
        scope: &dyn Scope,
        alias: &str,
        algorithm: Algorithm,
    ) -> Result<Jwk, VaultError> {
        let mut transaction = self.store.begin(scope);
        let public = self.generate_key_in(&mut transaction, alias, algorithm).await?;
        transaction.commit().await?;
        Ok(public)
    }

    async fn generate_key_in(
        &self,
        transaction: &mut Transaction<'_>,
        alias: &str,
        algorithm: Algorithm,
    ) -> Result<Jwk, VaultError> {
        let access = own_access(transaction.access())?;
        check_alias(alias)?;
        let key = SoftwareKey::generate(algorithm)?;
        transaction.insert(&self.seal(&access, (alias, Content::Key), &key.to_pkcs8()));
        Ok(public(&key))
    }

    async fn public_key(&self, scope: &dyn Scope, alias: &str) -> Result<Option<Jwk>, VaultError> {
        Ok(self.open_key(scope, alias).await?.map(|open| public(&open.key)))
    }

    async fn sign(&self, scope: &dyn Scope, alias: &str, message: &[u8]) -> Result<Vec<u8>, VaultError> {
        match self.open_key(scope, alias).await? {
            Some(open) => Ok(open.key.sign(message)),
            None => {
                let owner = scope.access().owner().clone();
                Err(VaultError::KeyMissing { owner, alias: alias.to_owned() })
            }
        }
    }

    async fn delete_key(&self, scope: &dyn Scope, alias: &str) -> Result<bool, VaultError> {
        self.delete(scope, alias, Content::Key).await
    }

    async fn seal(&self, scope: &dyn Scope, label: &str, secret: &Secret) -> Result<String, VaultError> {
        let access = scope.access();
        Ok(self.sealer.wrap(self.store.environment(), access.owner(), label, secret.expose()))
    }

    async fn open_sealed(&self, scope: &dyn Scope, label: &str, sealed: &str) -> Result<Secret, VaultError> {
        let access = own_access(scope.access())?;
        let mut plaintext = self.sealer.unwrap(access.owner(), label, sealed)?;
        Ok(Secret::new(std::mem::take(&mut *plaintext)))
    }

    async fn delete_all(&self, scope: &dyn Scope) -> Result<u64, VaultError> {
        let access = own_access(scope.access())?;
        let (mut deleted, mut attempts) = (0, 0);
        loop {
            let mut transaction = self.store.begin(scope);
            let entries = transaction.list::<SealedEntry>(&Query::default()).await?;
            if entries.is_empty() {
                self.open_keys.forget_all(access.owner());
                return Ok(deleted);
            }
            entries.iter().for_each(|entry| transaction.delete(entry));
            let result = transaction.commit().await;
            self.open_keys.forget_all(access.owner());
            if let Attempt::Done = retry(result, &mut attempts)? {
                deleted += u64::try_from(entries.len()).unwrap_or(u64::MAX);
            }
        }
    }
}

impl fmt::Debug for EmbeddedVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedVault")
    }
}

async fn keyring_of(store: &Store, operator: &OperatorScope) -> Result<Option<Keyring>, StoreError> {
    let loaded = store.begin(operator).load::<Keyring>(Keyring::ID).await?;
    Ok(loaded.map(heddle_store::Loaded::into_value))
}

/// The access of a scope that is not a counter-party's.
fn own_access(access: Access) -> Result<Access, VaultError> {
    if access.counter_party().is_some() { Err(VaultError::CounterParty) } else { Ok(access) }
}

fn expect_content(
    owner: &Owner,
    alias: &str,
    entry: &SealedEntry,
    expected: Content,
) -> Result<(), VaultError> {
    if entry.content == expected {
        return Ok(());
    }
    Err(VaultError::Content { owner: owner.clone(), alias: alias.to_owned(), expected: expected.name() })
}

fn public(key: &SoftwareKey) -> Jwk {
    key.public_jwk(None).with_alg(key.algorithm())
}

pub(crate) enum Attempt {
    Done,
    Again,
}

/// Whether a commit that lost against another is made again.
pub(crate) fn retry(result: Result<(), StoreError>, attempts: &mut u32) -> Result<Attempt, VaultError> {
    *attempts += 1;
    match result {
        Ok(()) => Ok(Attempt::Done),
        Err(StoreError::Stale { .. } | StoreError::Duplicate { .. }) if *attempts < ATTEMPTS_MAX => {
            Ok(Attempt::Again)
        }
        Err(error) => Err(error.into()),
    }
}
