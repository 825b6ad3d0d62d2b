//! The keys as an operator sees them.

use heddle_clock::Timestamp;
use serde::Serialize;

use super::row::TokenKeys;

/// What a key does at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// It is published, and will sign.
    Announced,
    /// It signs new tokens.
    Signing,
    /// It checks the tokens that it has signed, until the last has expired.
    Retired,
}

/// A signing key. Its private half is in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    /// Its name in the header of tokens.
    pub kid: String,
    /// What it does now.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// When it is published no more; `None` while it has no successor.
    pub ends_at: Option<Timestamp>,
}

/// Newest last.
pub(super) fn shown(row: &TokenKeys, now: Timestamp) -> Vec<ShownKey> {
    let current = row.current(now).map(|key| key.kid.as_str());
    let shown = row.keys.iter().map(|key| ShownKey {
        kid: key.kid.clone(),
        state: match current {
            Some(current) if current == key.kid => KeyState::Signing,
            _ if key.signs_at(now) => KeyState::Retired,
            _ => KeyState::Announced,
        },
        created_at: key.created_at,
        signs_from: key.signs_from.unwrap_or(key.created_at),
        ends_at: key.ends_at(),
    });
    shown.collect()
}
