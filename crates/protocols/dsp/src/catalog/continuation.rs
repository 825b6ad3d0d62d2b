//! Where the next page of a catalog begins.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use heddle_ids::AssetId;
use serde::{Deserialize, Serialize};

/// A place in a catalog: after or before one asset in the order of the listing.
///
/// It names an asset, not a number, so that a page neither repeats nor skips one when assets come and go
/// meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Position {
    /// The page begins after this asset.
    After(AssetId),
    /// The page ends before this asset.
    Before(AssetId),
}

/// A [`Position`] as peers see it (`?continuationToken=…`): opaque to them, checked by us.
///
/// It is not a secret and grants nothing: what a page shows is decided again for every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContinuationToken(String);

/// A text that is no continuation token of ours. Answer 400 with `CatalogError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the continuation token is not one that this catalog gave out; begin again without one")]
pub struct InvalidContinuation;

/// The content of a token. The format number lets a later release refuse the tokens of an earlier one.
#[derive(Serialize, Deserialize)]
struct Content(u8, Position);

impl ContinuationToken {
    /// Longest token that is read, in bytes.
    pub const TOKEN_BYTES_MAX: usize = 4096;
    const FORMAT: u8 = 1;

    /// The token of a position.
    #[must_use]
    pub fn new(position: &Position) -> Self {
        let content = serde_json::to_vec(&Content(Self::FORMAT, position.clone()))
            .expect("a number and an identifier always have a JSON form");
        Self(BASE64_URL_SAFE_NO_PAD.encode(content))
    }

    /// Reads the query parameter of a request.
    pub fn parse(text: &str) -> Result<Position, InvalidContinuation> {
        if text.len() > Self::TOKEN_BYTES_MAX {
            return Err(InvalidContinuation);
        }
        let content = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidContinuation)?;
        match serde_json::from_slice(&content) {
            Ok(Content(Self::FORMAT, position)) => Ok(position),
            _ => Err(InvalidContinuation),
        }
    }

    /// The token as text; safe in a query without further encoding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives() {
        for position in [
            Position::After(AssetId::parse("urn:a/ö?&=").expect("legal")),
            Position::Before(AssetId::parse("x".repeat(1024)).expect("legal")),
        ] {
            let token = ContinuationToken::new(&position);
            assert!(token.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            assert_eq!(ContinuationToken::parse(token.as_str()), Ok(position));
        }
    }

    #[test]
    fn forged_tokens_are_refused() {
        let of = |content: &str| BASE64_URL_SAFE_NO_PAD.encode(content);
        for bad in [
            String::new(),
            "not base64!".to_owned(),
            of("{}"),
            of(r#"[2,{"after":"a"}]"#),
            of(r#"[1,{"after":""}]"#),
            of(r#"[1,{"between":"a"}]"#),
            "A".repeat(ContinuationToken::TOKEN_BYTES_MAX + 1),
        ] {
            assert_eq!(ContinuationToken::parse(&bad), Err(InvalidContinuation), "{bad}");
        }
    }
}
