//! What can be wrong with a token, a key or a claim.

use std::fmt;

use crate::{Algorithm, KeyKind};

/// A part of a compact token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The protected header.
    Header,
    /// The payload, which holds the claims.
    Payload,
    /// The signature.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// Why a token, a key or a claim is refused. Never holds a token, a claim's value or key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// The token is larger than the reader allows.
    #[error("the token is larger than the {bytes_max} bytes that are allowed")]
    TooLarge {
        /// The limit, in bytes.
        bytes_max: usize,
    },
    /// A compact token has three parts: header, payload and signature.
    #[error("a compact token has three parts separated by dots")]
    Parts,
    /// A part is not base64url without padding in its only canonical form.
    #[error("the {0} of the token is not canonical base64url without padding")]
    Encoding(Part),
    /// A part is not a JSON object, or names a member twice.
    #[error("the {part} of the token is not usable JSON: {reason}")]
    Json {
        /// The part.
        part: Part,
        /// What is wrong and where.
        reason: String,
    },
    /// A member of the header is missing or has the wrong type.
    #[error("the header member '{member}' must be {expected}")]
    HeaderMember {
        /// The member's name.
        member: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// The algorithm is not one that is accepted (`none` and the MACs never are).
    #[error("the algorithm '{0}' is not accepted; use ES256, ES384, EdDSA, or RSA with SHA-2")]
    Algorithm(String),
    /// The header demands an extension (`crit`, or `b64` other than true); none is supported.
    #[error("the header demands the extension '{0}', and no extensions are supported")]
    Critical(String),
    /// The token's algorithm cannot be used with the key.
    #[error("a token signed with {algorithm} cannot be checked with a key of kind {key}")]
    KeyMismatch {
        /// The algorithm that the token or the caller names.
        algorithm: Algorithm,
        /// The kind of the key.
        key: KeyKind,
    },
    /// The signature does not belong to this token and key.
    #[error("the signature of the token does not match the key")]
    Signature,
    /// The key's members are missing, malformed or weak.
    #[error("the key is not usable: {0}")]
    Key(&'static str),
    /// The key is of a type or curve that is not supported.
    #[error("keys of type '{0}' are not supported; use EC P-256 or P-384, OKP Ed25519, or RSA")]
    KeyUnsupported(String),
    /// A private or symmetric key stands where a public key belongs.
    #[error(
        "the key holds the secret member '{0}'; only public keys belong here, and this one is compromised"
    )]
    KeySecret(&'static str),
    /// A claim is missing or has the wrong shape.
    #[error("the claim '{name}' must be {expected}")]
    Claim {
        /// The claim's name, or its path.
        name: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The token is not valid at the time of the check.
    #[error("the token is not valid now: {0}")]
    Time(&'static str),
    /// Claims could not be written as JSON.
    #[error("the claims cannot be written as a JSON object")]
    Unwritable,
}

/// At most the first 32 characters of something that a peer chose, fit for an error or a log.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(32).map(|c| if c.is_control() { '?' } else { c }).collect()
}
