//! Refusals: 401 and 403. None holds a token.

use heddle_jose::JoseError;

use crate::{KeysUnavailable, RequiredScope};

/// Why nobody is authenticated (401).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// There is no `Authorization` header.
    #[error("Missing Authorization header")]
    Missing,
    /// The header is not `Bearer` with one token.
    #[error("the Authorization header must be 'Bearer' followed by one token")]
    Scheme,
    /// The token cannot be read, its signature does not fit, or it is not valid now.
    #[error("the bearer token is refused: {0}")]
    Token(#[from] JoseError),
    /// The token is of another type, such as one that a participant issued for a peer.
    #[error("the bearer token is not an access token: its type must be at+jwt or JWT")]
    Type,
    /// The token is of an issuer that is not trusted here.
    #[error("the bearer token is of an issuer that is not trusted here")]
    Issuer,
    /// The issuer has no key of the name that the token gives.
    #[error("the bearer token names a key that its issuer does not have")]
    Key,
    /// The token is for somebody else.
    #[error("the bearer token is for another audience")]
    Audience,
    /// The token says more than its issuer may give.
    #[error("the bearer token is refused: its issuer is not trusted here with {0}")]
    Beyond(&'static str),
    /// The client that it was given to, its secret, or the participant context that it is for has ended since.
    #[error(
        "the bearer token has ended before its time, with the client or the participant context that it was given to"
    )]
    Ended,
    /// The issuer's keys could not be had; the same token may be accepted later.
    #[error(
        "the bearer token cannot be checked at this moment, as the keys of its issuer are not to be had; try again"
    )]
    Unavailable(#[from] KeysUnavailable),
    /// Whether it still stands could not be found out; the same token may be accepted later.
    #[error("the bearer token cannot be checked at this moment, as the database is not available; try again")]
    Unknown,
}

impl Unauthenticated {
    /// Whether the same token may be accepted a moment later: a 503 is truer than a 401.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Unknown)
    }
}

/// Why somebody who is known may not (403). Says the same whether or not what was asked for exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The token lacks a scope.
    #[error("Required scope '{0}' missing")]
    Scope(RequiredScope),
    /// The scope is there, but the role does not go so far.
    #[error("The role of this token does not allow '{0}' here")]
    Role(RequiredScope),
    /// The token is for another participant context, or for another tenant.
    #[error("User is not authorized to access this resource.")]
    Owner,
}
