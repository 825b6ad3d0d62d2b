//! Why the token service gives no token (RFC 6749 §5.2).

use std::time::Duration;

/// Why the token service gives no token. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// The request is not one of RFC 6749 §4.4.2.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// No such client, or not its secret.
    #[error("the client is not known or its secret is wrong")]
    InvalidClient,
    /// There were too many requests within a minute.
    #[error("too many requests {whose} within a minute; a token can be used until it expires")]
    TooManyRequests {
        /// Of whom, or from where.
        whose: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
    /// A scope that the client does not have, or that is none.
    #[error("a requested scope is malformed or not among those of the client")]
    InvalidScope,
    /// Another grant than `client_credentials`.
    #[error("the grant type must be client_credentials")]
    UnsupportedGrantType,
    /// The client id was used with wrong secrets too often.
    #[error("too many failed attempts for this client")]
    TooManyAttempts {
        /// When to try again.
        retry_after: Duration,
    },
    /// The database or the vault does not answer.
    #[error("the token service is not available at this moment")]
    Unavailable,
}

impl TokenRefusal {
    /// Logs what went wrong inside, and tells the client that something did.
    pub(crate) fn unavailable(cause: &dyn std::error::Error) -> Self {
        tracing::error!(component = "auth", reason = %cause, "the token service cannot answer");
        Self::Unavailable
    }
}
