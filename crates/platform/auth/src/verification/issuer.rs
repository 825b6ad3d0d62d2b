//! Whose tokens are accepted, and where their keys come from.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_jose::{Jwk, JwkSet};
use heddle_store::Store;

use super::{claims::ClaimNames, limits::IssuerLimits, standing::Standing};
use crate::principal::Subject;

/// How far the clocks of an issuer and of this server may differ, unless something else is said.
pub(crate) const LEEWAY: Duration = Duration::from_secs(5);

/// The keys of an issuer cannot be had at this moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the keys of the token issuer are not available: {reason}")]
pub struct KeysUnavailable {
    /// What went wrong, without secrets. For the log: whoever is refused learns no addresses of ours.
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
    pub(crate) leeway: Duration,
    pub(crate) claims: ClaimNames,
    pub(crate) limits: IssuerLimits,
    pub(crate) standing: Option<Standing>,
}

impl TrustedIssuer {
    /// An identity provider. `name` is what its tokens have as `iss`, byte by byte. Without a
    /// `participant_context_id` claim, the `sub` of its tokens is the participant context.
    #[must_use]
    pub fn external(name: impl Into<String>, audience: AudienceRule, keys: Arc<dyn KeySource>) -> Self {
        Self {
            name: name.into(),
            audience,
            keys,
            subject: Subject::ParticipantContext,
            leeway: LEEWAY,
            claims: ClaimNames::default(),
            limits: IssuerLimits::default(),
            standing: None,
        }
    }

    /// With claims of other names.
    #[must_use]
    pub fn claims(self, claims: ClaimNames) -> Self {
        Self { subject: claims.subject(), claims, ..self }
    }

    /// Within these bounds.
    #[must_use]
    pub fn limits(self, limits: IssuerLimits) -> Self {
        Self { limits, ..self }
    }

    /// With a clock that may differ from ours by so much.
    #[must_use]
    pub fn clock_skew(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Refusing tokens of a participant context from before its removal, or before another one was made under its id.
    #[must_use]
    pub fn ending_with_participants(self, store: Store) -> Self {
        Self { standing: Some(Standing::Participant(store)), ..self }
    }

    pub(crate) fn built_in(name: String, audience: String, keys: Arc<dyn KeySource>, store: Store) -> Self {
        Self {
            subject: Subject::Opaque,
            standing: Some(Standing::Client(store)),
            ..Self::external(name, AudienceRule::Contains(audience), keys)
        }
    }
}

impl fmt::Debug for TrustedIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIssuer").field("name", &self.name).finish_non_exhaustive()
    }
}
