//! Things that may happen once.

use heddle_clock::Timestamp;

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
