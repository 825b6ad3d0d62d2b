//! Things that may happen once.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_clock::Timestamp;
use ring::digest::{SHA256, digest};

/// A value that must not be seen twice before it expires, such as the `jti` of a token.
///
/// It is unique per owner; inserting it again fails the whole commit with `Duplicate`, so that of two
/// replicas that see the same token at the same moment one wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce {
    /// The value, with whatever it must be unique within (the issuer, the surface).
    pub value: String,
    /// After this time it may be forgotten.
    pub expires_at: Timestamp,
}

impl Nonce {
    /// Of `value`, which a peer may have chosen: what is kept is a digest, so any text fits, of any length.
    #[must_use]
    pub fn of(value: impl AsRef<[u8]>, expires_at: Timestamp) -> Self {
        Self { value: URL_SAFE_NO_PAD.encode(digest(&SHA256, value.as_ref())), expires_at }
    }
}
