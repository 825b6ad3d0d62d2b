//! Whose tokens are accepted, and where their keys come from.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use heddle_jose::{Jwk, JwkSet};

use crate::principal::Subject;

/// The keys of an issuer cannot be had at this moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the keys of the token issuer are not available: {reason}")]
pub struct KeysUnavailable {
    /// What went wrong, without secrets.
    pub reason: String,
}

/// Where the keys of an issuer come from. Asked for every token: answers from memory whenever it can.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// The issuer's key of this name; without a name, its only key. `None` when it has no such key.
    async fn key(&self, kid: Option<&str>) -> Result<Option<Jwk>, KeysUnavailable>;
}

/// Keys that never change.
#[derive(Debug, Clone)]
pub struct StaticKeys(pub JwkSet);

#[async_trait]
impl KeySource for StaticKeys {
    async fn key(&self, kid: Option<&str>) -> Result<Option<Jwk>, KeysUnavailable> {
        Ok(self.0.find(kid).cloned())
    }
}

/// What is demanded of the `aud` claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudienceRule {
    /// It must contain this.
    Contains(String),
    /// Anything goes: for an issuer whose tokens are all meant for this installation.
    Unchecked,
}

/// An issuer of access tokens that is trusted.
#[derive(Clone)]
pub struct TrustedIssuer {
    pub(crate) name: String,
    pub(crate) audience: AudienceRule,
    pub(crate) keys: Arc<dyn KeySource>,
    pub(crate) subject: Subject,
}

impl TrustedIssuer {
    /// An identity provider. `name` is what its tokens have as `iss`, byte by byte. Without a
    /// `participant_context_id` claim, the `sub` of its tokens is the participant context.
    #[must_use]
    pub fn external(name: impl Into<String>, audience: AudienceRule, keys: Arc<dyn KeySource>) -> Self {
        Self { name: name.into(), audience, keys, subject: Subject::ParticipantContext }
    }

    pub(crate) fn built_in(name: String, audience: String, keys: Arc<dyn KeySource>) -> Self {
        Self { name, audience: AudienceRule::Contains(audience), keys, subject: Subject::Opaque }
    }
}

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer").field("name", &self.name).finish_non_exhaustive()
    }
}
