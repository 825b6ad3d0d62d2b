//! The row of the signing keys, and what is due for it when.

use std::time::Duration;

use heddle_clock::Timestamp;
use heddle_jose::Jwk;
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};

use crate::token::TOKEN_LIFETIME;

/// How long keys are used without looking at the row again.
pub(super) const UNCHECKED_MAX: Duration = Duration::from_secs(60);
/// How long others may keep the published keys.
pub(crate) const PUBLISHED_MAX_AGE: Duration = Duration::from_secs(60);
/// How far the clocks of replicas may differ.
const SKEW: Duration = Duration::from_secs(30);
/// How long a new key is published before it signs: until every replica publishes it, and whoever keeps what a replica
/// published before has asked again. So nobody ever sees a token whose key it cannot have.
pub const ANNOUNCED_FOR: Duration = Duration::from_secs(150);
const _: () = assert!(
    ANNOUNCED_FOR.as_secs() >= UNCHECKED_MAX.as_secs() + PUBLISHED_MAX_AGE.as_secs() + SKEW.as_secs()
);
/// How long a key is published after it signed the last time: until the last token that any replica signed with it has
/// expired, clocks that differ included.
pub(super) const RETIRED_LIFETIME: Duration = TOKEN_LIFETIME.saturating_add(Duration::from_secs(120));

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TokenKey {
    /// The name of the key on the wire, and its alias in the vault.
    pub(super) kid: String,
    pub(super) public: Jwk,
    pub(super) created_at: Timestamp,
    /// `None` is from the beginning.
    #[serde(default)]
    pub(super) signs_from: Option<Timestamp>,
    /// When its successor begins to sign.
    #[serde(default)]
    pub(super) retired_at: Option<Timestamp>,
}

impl TokenKey {
    pub(super) fn signs_at(&self, now: Timestamp) -> bool {
        self.signs_from.is_none_or(|from| from <= now)
    }

    /// When it is published no more.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        self.retired_at.map(|at| at + RETIRED_LIFETIME)
    }
}

/// The row. The newest key is the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TokenKeys {
    pub(super) id: String,
    pub(super) keys: Vec<TokenKey>,
    /// When the job that tends the keys is due; `None` while there is none.
    #[serde(default)]
    pub(super) tended_at: Option<Timestamp>,
}

impl TokenKeys {
    pub(super) const ID: &'static str = "token-service";

    pub(super) fn first(key: TokenKey) -> Self {
        Self { id: Self::ID.to_owned(), keys: vec![key], tended_at: None }
    }

    /// The key that signs at `now`: the newest whose time has come.
    pub(super) fn current(&self, now: Timestamp) -> Option<&TokenKey> {
        self.keys.iter().rev().find(|key| key.signs_at(now)).or(self.keys.last())
    }

    /// Whether a new key is published already, and does not sign yet.
    pub(super) fn is_rotating(&self, now: Timestamp) -> bool {
        self.keys.last().is_some_and(|key| !key.signs_at(now))
    }

    /// When something is to be done next: a rotation after `every`, or the end of a key.
    pub(super) fn due_at(&self, every: Duration) -> Option<Timestamp> {
        let rotation = self.keys.last().map(|key| key.created_at + every);
        self.keys.iter().filter_map(TokenKey::ends_at).chain(rotation).min()
    }

    /// Takes out the keys that are published no more.
    pub(super) fn take_ended(&mut self, now: Timestamp) -> Vec<TokenKey> {
        self.keys.extract_if(.., |key| key.ends_at().is_some_and(|end| end <= now)).collect()
    }
}

impl Aggregate for TokenKeys {
    const KIND: &'static str = "token-keys";

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Columns {
        Columns { due_at: self.tended_at, ..Columns::default() }
    }
}
