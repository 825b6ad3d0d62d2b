//! JSON Web Signatures, Tokens and Keys (RFC 7515, 7517, 7518, 7519, 8037), as far as dataspaces use them.
//!
//! - Reading: [`Token::parse`] takes a compact token apart and refuses everything that is ambiguous;
//!   [`Token::verify`] checks the signature with a [`Jwk`] that *the caller* found. Key material that a
//!   token carries about itself (`jwk`, `jku`, `x5c`, `x5u`) is never looked at.
//! - Writing: [`Unsigned`] is a token that waits for its signature, so that a remote or asynchronous signer
//!   can sit between; [`SoftwareKey`] is a key in memory.
//!
//! Deliberately absent: encryption (JWE), MACs (`HS256` …), unsigned tokens (`none`), the JSON
//! serialisations, detached payloads, key look-up, and judgements about time (see [`TimeClaims`], which is
//! given the time).

pub mod claims;
pub mod strict;

mod algorithm;
mod encoding;
mod error;
mod jwk;
mod key;
mod token;
mod unsigned;
mod verification;

pub use algorithm::Algorithm;
pub use claims::{Audience, NumericDate, TimeClaims};
pub use error::{JoseError, Part};
pub use jwk::{Jwk, JwkSet, KeyKind};
pub use key::SoftwareKey;
pub use token::{TOKEN_BYTES_MAX, Token, VerifiedToken};
pub use unsigned::{Header, Unsigned, sign_compact};
