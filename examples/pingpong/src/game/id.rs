//! The id of a game.

use serde::{Deserialize, Serialize};

/// Longest id of a game, in bytes.
const ID_BYTES_MAX: usize = 64;

/// Names a game among those of a participant context. Others choose it, so it is checked where it comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct GameId(String);

/// A text that names no game.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a game's id has 1 to {ID_BYTES_MAX} letters, digits and hyphens")]
pub struct InvalidGameId;

impl GameId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for GameId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for GameId {
    type Error = InvalidGameId;

    fn try_from(text: String) -> Result<Self, InvalidGameId> {
        let legal = (1..=ID_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if legal { Ok(Self(text)) } else { Err(InvalidGameId) }
    }
}

impl std::str::FromStr for GameId {
    type Err = InvalidGameId;

    fn from_str(text: &str) -> Result<Self, InvalidGameId> {
        Self::try_from(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_checked_where_it_comes_in() {
        assert!(serde_json::from_str::<GameId>("\"a-1\"").is_ok());
        for bad in ["", "a/b", "a b", "\u{0}", &"x".repeat(65)] {
            assert_eq!(bad.parse::<GameId>(), Err(InvalidGameId), "{bad}");
        }
    }
}
