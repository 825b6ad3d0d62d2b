//! The signing keys of the token service: private halves in the vault, public ones in a row that replicas share.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_jose::{Algorithm, Header, Jwk, JwkSet, Unsigned};
use heddle_store::{Aggregate, Loaded, Store, StoreError, Transaction};
use heddle_tenancy::OperatorScope;
use heddle_vault::{Vault, VaultError, sign_compact};
use serde::{Deserialize, Serialize};

use super::{TOKEN_LIFETIME, TokenServiceError, claims::AccessTokenClaims};
use crate::{KeySource, KeysUnavailable};

/// How long keys are used without looking at the row again: what another replica's rotation may take.
const UNCHECKED_MAX: Duration = Duration::from_secs(60);
/// Least time between two look-ups for names that nobody has.
const MISS_INTERVAL: Duration = Duration::from_secs(1);
/// How long a key is published after it was replaced: until the last token that any replica signed with it has
/// expired, clocks that differ included.
const RETIRED_LIFETIME: Duration = TOKEN_LIFETIME.saturating_add(Duration::from_secs(120));

/// What becomes of the key that a rotation replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldKey {
    /// Tokens that it signed live to their end.
    Retired,
    /// It is in wrong hands: its tokens are refused, here at once and in other replicas within a minute.
    Revoked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TokenKey {
    /// The name of the key on the wire, and its alias in the vault.
    kid: String,
    public: Jwk,
    created_at: Timestamp,
    #[serde(default)]
    retired_at: Option<Timestamp>,
}

/// The row. The newest key is the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TokenKeys {
    id: String,
    keys: Vec<TokenKey>,
}

impl TokenKeys {
    const ID: &'static str = "token-service";
}

impl Aggregate for TokenKeys {
    const KIND: &'static str = "token-keys";

    fn id(&self) -> &str {
        &self.id
    }
}

/// The keys as this replica knows them.
#[derive(Debug)]
struct Known {
    current: String,
    published: JwkSet,
    seen_at: Timestamp,
}

impl Known {
    fn new(row: &TokenKeys, now: Timestamp) -> Self {
        let published = row.keys.iter().map(|key| key.public.clone()).collect();
        let current = row.keys.last().map(|key| key.kid.clone()).unwrap_or_default();
        Self { current, published: JwkSet { keys: published }, seen_at: now }
    }
}

pub(crate) struct SigningKeys {
    store: Store,
    vault: Arc<dyn Vault>,
    operator: OperatorScope,
    known: RwLock<Arc<Known>>,
    /// One look-up at a time.
    looking: tokio::sync::Mutex<()>,
}

impl SigningKeys {
    pub(crate) async fn open(
        store: Store,
        vault: Arc<dyn Vault>,
        operator: OperatorScope,
    ) -> Result<Self, TokenServiceError> {
        let now = store.environment().now();
        let row = match load(&store, &operator).await? {
            Some(row) => row,
            None => first(&store, vault.as_ref(), &operator).await?,
        };
        let known = RwLock::new(Arc::new(Known::new(&row, now)));
        Ok(Self { store, vault, operator, known, looking: tokio::sync::Mutex::default() })
    }

    pub(crate) fn published(&self) -> JwkSet {
        self.known().published.clone()
    }

    pub(crate) async fn sign(&self, claims: &AccessTokenClaims<'_>) -> Result<String, TokenServiceError> {
        let known = self.checked_within(UNCHECKED_MAX).await?;
        match self.sign_with(&known.current, claims).await {
            // Revoked by another replica a moment ago.
            Err(VaultError::KeyMissing { .. }) => {
                let known = self.checked_within(Duration::ZERO).await?;
                Ok(self.sign_with(&known.current, claims).await?)
            }
            result => Ok(result?),
        }
    }

    async fn sign_with(&self, kid: &str, claims: &AccessTokenClaims<'_>) -> Result<String, VaultError> {
        let token = Unsigned::new(Header::jwt(Algorithm::Es256, kid).with_typ("at+jwt"), claims)?;
        sign_compact(self.vault.as_ref(), &self.operator, kid, token).await
    }

    pub(crate) async fn rotate(&self, old: OldKey) -> Result<(), TokenServiceError> {
        let now = self.store.environment().now();
        let mut transaction = self.store.begin(&self.operator);
        let Some(row) = transaction.load::<TokenKeys>(TokenKeys::ID).await? else {
            return Err(
                StoreError::Stale { kind: TokenKeys::KIND.to_owned(), id: TokenKeys::ID.to_owned() }.into()
            );
        };
        let mut next = row.value().clone();
        if let Some(current) = next.keys.last_mut() {
            current.retired_at = Some(now);
        }
        let revoked = if old == OldKey::Revoked { next.keys.pop() } else { None };
        let has_ended = |key: &TokenKey| {
            key.retired_at.is_some_and(|retired_at| now.since(retired_at) > RETIRED_LIFETIME)
        };
        let ended: Vec<TokenKey> = next.keys.extract_if(.., |key| has_ended(key)).chain(revoked).collect();
        next.keys.push(self.make(&mut transaction).await?);
        transaction.save(&row, &next);
        transaction.audit("token-key.rotate", TokenKeys::ID);
        transaction.commit().await?;
        self.learn(&next, now);
        for key in ended {
            self.vault.delete_key(&self.operator, &key.kid).await?;
        }
        Ok(())
    }

    async fn make(&self, transaction: &mut Transaction<'_>) -> Result<TokenKey, VaultError> {
        make(&self.store, self.vault.as_ref(), transaction).await
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
        let unavailable = |error: StoreError| KeysUnavailable { reason: error.to_string() };
        let known = self.checked_within(UNCHECKED_MAX).await.map_err(unavailable)?;
        // Our tokens always name their key.
        let Some(kid) = kid else { return Ok(None) };
        if let Some(key) = known.published.find(Some(kid)) {
            return Ok(Some(key.clone()));
        }
        let known = self.checked_within(MISS_INTERVAL).await.map_err(unavailable)?;
        Ok(known.published.find(Some(kid)).cloned())
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("current", &self.known().current).finish_non_exhaustive()
    }
}

async fn load(store: &Store, operator: &OperatorScope) -> Result<Option<TokenKeys>, StoreError> {
    Ok(store.begin(operator).load::<TokenKeys>(TokenKeys::ID).await?.map(Loaded::into_value))
}

/// The first key. Of replicas that start at the same time, one makes it.
async fn first(
    store: &Store,
    vault: &dyn Vault,
    operator: &OperatorScope,
) -> Result<TokenKeys, TokenServiceError> {
    let mut transaction = store.begin(operator);
    let key = make(store, vault, &mut transaction).await?;
    let row = TokenKeys { id: TokenKeys::ID.to_owned(), keys: vec![key] };
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
    Ok(TokenKey { public: public.with_kid(kid.as_str()), kid, created_at, retired_at: None })
}
