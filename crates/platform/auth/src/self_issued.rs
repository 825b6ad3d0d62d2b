//! Self-issued tokens (DCP 1.0 §4.3): the port through which others get them.

use async_trait::async_trait;
use heddle_ids::ParticipantId;
use heddle_tenancy::ParticipantScope;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelfIssuedError {
    /// The participant cannot sign: it has no active key, or is not active itself. Asking again does not help.
    #[error("the participant cannot issue tokens: {reason}")]
    Unable {
        /// What is missing.
        reason: String,
    },
    /// The token service refuses what was asked for. Asking again does not help.
    #[error("the token service refuses to issue the token: {reason}")]
    Refused {
        /// What it said, without secrets.
        reason: String,
    },
    /// The token service, the vault or the database does not answer; asking again later may help.
    #[error("the token service is not available: {reason}")]
    Unavailable {
        /// What went wrong, without secrets.
        reason: String,
    },
}

impl SelfIssuedError {
    /// Whether asking again may help.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Issues tokens by which a participant proves to a peer who it is.
#[async_trait]
pub trait SelfIssuedTokens: Send + Sync {
    /// A self-issued token of the participant that `scope` opens, for `audience`.
    ///
    /// With `bearer_scope` (DCP 1.0 §4.3.1) the token carries an access token of the participant's own, by which
    /// the audience may query presentations within these scopes. With `access_token` it carries that one
    /// instead: the token that a peer gave, presented back to it. Both empty: neither.
    ///
    /// # Errors
    /// See [`SelfIssuedError`]. Asking for both is [`SelfIssuedError::Refused`].
    async fn token(
        &self,
        scope: &ParticipantScope,
        audience: &ParticipantId,
        bearer_scope: &[String],
        access_token: Option<&str>,
    ) -> Result<String, SelfIssuedError>;

    /// Why peers that ask for credentials within `bearer_scope` get none of some kind although the participant holds
    /// such, as when they have expired: in words, for the participant alone. Nothing where that is not known.
    async fn shortcomings(&self, scope: &ParticipantScope, bearer_scope: &[String]) -> Vec<String> {
        let _ = (scope, bearer_scope);
        Vec::new()
    }
}
