//! The two tokens of DCP: the self-issued token that proves a participant (DCP 1.0 §4.3), and the access
//! token that it carries, with which a holder grants a verifier to read credentials (DCP 1.0 §4.3.1, §5.3).
//!
//! Access tokens have a `typ` of their own, so that no presentation, credential or self-issued token that the
//! same key has signed can ever pass as one.
//!
//! Deliberately absent: signing (a signer takes the drafts), the replay store (it takes [`ReplayKey`]).

pub mod access_token;
pub mod self_issued;

pub use access_token::AccessToken;
pub use self_issued::SelfIssuedToken;

use heddle_clock::Timestamp;
use heddle_did::Did;

/// `typ` of a self-issued token as we issue it. From others it may also be absent.
pub const SELF_ISSUED_TYP: &str = "JWT";
/// `typ` of an access token. Opaque to verifiers, so it concerns nobody but the issuing credential service.
pub const ACCESS_TOKEN_TYP: &str = "dcp-access+jwt";
/// Longest `jti` that is accepted, in bytes.
pub const JTI_BYTES_MAX: usize = 256;

/// What makes a token unique, and how long that must be remembered.
///
/// Record it by one atomic insert, after the verification has succeeded and before anything is done: a forged
/// token must not use up an honest one's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReplayKey {
    /// Who the token was for: two participants of one server never disturb each other.
    pub audience: Did,
    /// Who issued it: two issuers may choose the same id.
    pub issuer: Did,
    /// The id that the issuer gave it.
    pub jti: String,
    /// When the record may be forgotten: the token's end, with leeway.
    pub until: Timestamp,
}
