//! The signing keys of the token service: private halves in the vault, public ones in a row that replicas share.
//!
//! A rotation begins by publishing a key, and only [`ANNOUNCED_FOR`] later, when every replica and everybody who keeps
//! published keys for as long as they may has seen it, does it sign. The key before it is published on until its last
//! token has expired. So a rotation fails no request.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_jose::{Algorithm, Header, Jwk, JwkSet, Unsigned};
use heddle_store::{Loaded, Store, StoreError, Transaction};
use heddle_tenancy::OperatorScope;
use heddle_vault::{Vault, VaultError, sign_compact};

use super::{TokenServiceError, claims::AccessTokenClaims};
use crate::{KeySource, KeysUnavailable};

mod rotation;
mod row;
mod shown;
pub(super) mod tending;

pub use rotation::OldKey;
pub use row::ANNOUNCED_FOR;
pub(crate) use row::PUBLISHED_MAX_AGE;
use row::{TokenKey, TokenKeys, UNCHECKED_MAX};
pub use shown::{KeyState, ShownKey};

/// The keys as this replica knows them.
#[derive(Debug)]
struct Known {
    row: TokenKeys,
    published: JwkSet,
    seen_at: Timestamp,
}

impl Known {
    fn new(row: &TokenKeys, now: Timestamp) -> Self {
        let published = row.keys.iter().map(|key| key.public.clone()).collect();
        Self { row: row.clone(), published: JwkSet { keys: published }, seen_at: now }
    }

    /// The name of the key that signs now.
    fn current(&self, now: Timestamp) -> &str {
        self.row.current(now).map(|key| key.kid.as_str()).unwrap_or_default()
    }
}

pub(crate) struct SigningKeys {
    store: Store,
    vault: Arc<dyn Vault>,
    operator: OperatorScope,
    /// The age at which a key is replaced.
    every: Duration,
    known: RwLock<Arc<Known>>,
    /// One look-up at a time.
    looking: tokio::sync::Mutex<()>,
}

impl SigningKeys {
    pub(crate) async fn open(
        store: Store,
        vault: Arc<dyn Vault>,
        operator: OperatorScope,
        every: Duration,
    ) -> Result<Self, TokenServiceError> {
        let now = store.environment().now();
        let row = match load(&store, &operator).await? {
            Some(row) => row,
            None => first(&store, vault.as_ref(), &operator).await?,
        };
        let known = RwLock::new(Arc::new(Known::new(&row, now)));
        Ok(Self { store, vault, operator, every, known, looking: tokio::sync::Mutex::default() })
    }

    /// The published keys, no older than others may think; those that are known while the database is away.
    pub(crate) async fn published(&self) -> JwkSet {
        let known = self.checked_within(UNCHECKED_MAX).await.unwrap_or_else(|error| {
            tracing::error!(component = "auth", action = "publish keys", %error, "the keys may be old");
            self.known()
        });
        known.published.clone()
    }

    /// The keys as they are in the row.
    pub(crate) async fn shown(&self) -> Result<Vec<ShownKey>, StoreError> {
        let known = self.checked_within(Duration::ZERO).await?;
        Ok(shown::shown(&known.row, self.store.environment().now()))
    }

    pub(crate) async fn sign(&self, claims: &AccessTokenClaims<'_>) -> Result<String, TokenServiceError> {
        let known = self.checked_within(UNCHECKED_MAX).await?;
        match self.sign_with(known.current(self.store.environment().now()), claims).await {
            // Revoked by another replica a moment ago.
            Err(VaultError::KeyMissing { .. }) => {
                let known = self.checked_within(Duration::ZERO).await?;
                Ok(self.sign_with(known.current(self.store.environment().now()), claims).await?)
            }
            result => Ok(result?),
        }
    }

    async fn sign_with(&self, kid: &str, claims: &AccessTokenClaims<'_>) -> Result<String, VaultError> {
        let token = Unsigned::new(Header::jwt(Algorithm::Es256, kid).with_typ("at+jwt"), claims)?;
        sign_compact(self.vault.as_ref(), &self.operator, kid, token).await
    }

    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, row: &TokenKeys, now: Timestamp) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Known::new(row, now));
    }

    /// The keys, looked at no longer than `age` ago.
    async fn checked_within(&self, age: Duration) -> Result<Arc<Known>, StoreError> {
        let asked_at = self.store.environment().now();
        let fresh = |known: &Known| asked_at.since(known.seen_at) < age;
        let known = self.known();
        if fresh(&known) {
            return Ok(known);
        }
        let _one = self.looking.lock().await;
        let known = self.known();
        // Somebody else looked while this one waited.
        if fresh(&known) || known.seen_at > asked_at {
            return Ok(known);
        }
        let now = self.store.environment().now();
        if let Some(row) = load(&self.store, &self.operator).await? {
            self.learn(&row, now);
        }
        Ok(self.known())
    }
}

#[async_trait]
impl KeySource for SigningKeys {
    async fn key(&self, kid: Option<&str>) -> Result<Option<Jwk>, KeysUnavailable> {
        let unavailable = |error: StoreError| {
            tracing::error!(component = "auth", action = "look up keys", %error, "a token cannot be checked");
            KeysUnavailable { reason: error.to_string() }
        };
        let known = self.checked_within(UNCHECKED_MAX).await.map_err(unavailable)?;
        // Our tokens always name their key.
        let Some(kid) = kid else { return Ok(None) };
        if let Some(key) = known.published.find(Some(kid)) {
            return Ok(Some(key.clone()));
        }
        // Another replica may have replaced a key that was in wrong hands a moment ago. There is one look at a time, and
        // everybody who came before it began goes by what it finds: made-up names cost no more than that.
        let known = self.checked_within(Duration::ZERO).await.map_err(unavailable)?;
        Ok(known.published.find(Some(kid)).cloned())
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("row", &self.known().row).finish_non_exhaustive()
    }
}

async fn load(store: &Store, operator: &OperatorScope) -> Result<Option<TokenKeys>, StoreError> {
    Ok(load_in(&mut store.begin(operator)).await?.map(Loaded::into_value))
}

async fn load_in(transaction: &mut Transaction<'_>) -> Result<Option<Loaded<TokenKeys>>, StoreError> {
    transaction.load::<TokenKeys>(TokenKeys::ID).await
}

/// The first key. Of replicas that start at the same time, one makes it.
async fn first(
    store: &Store,
    vault: &dyn Vault,
    operator: &OperatorScope,
) -> Result<TokenKeys, TokenServiceError> {
    let mut transaction = store.begin(operator);
    let key = make(store, vault, &mut transaction).await?;
    let row = TokenKeys::first(key);
    transaction.insert(&row);
    match transaction.commit().await {
        Ok(()) => Ok(row),
        Err(StoreError::Duplicate { .. }) => Ok(load(store, operator).await?.unwrap_or(row)),
        Err(error) => Err(error.into()),
    }
}

async fn make(
    store: &Store,
    vault: &dyn Vault,
    transaction: &mut Transaction<'_>,
) -> Result<TokenKey, VaultError> {
    let kid = format!("token-{}", store.environment().uuid());
    let public = vault.generate_key_in(transaction, &kid, Algorithm::Es256).await?;
    let created_at = transaction.now();
    Ok(TokenKey {
        public: public.with_kid(kid.as_str()),
        kid,
        created_at,
        signs_from: None,
        retired_at: None,
    })
}
