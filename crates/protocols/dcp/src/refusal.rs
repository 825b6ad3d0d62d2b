//! Why a peer was not believed: a sentence for the peer, the detail for the owner.

use std::collections::BTreeSet;

use heddle_credentials::Check;
use heddle_did::Did;

use crate::trace::Stop;

/// What kind of thing was refused. It decides what the peer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The self-issued token.
    SelfIssuedToken,
    /// The access token inside it.
    AccessToken,
    /// The answer of the credential service as a whole, or every presentation in it.
    Presentation,
    /// A requested scope has no good credential.
    Credentials,
    /// A delivery of credentials.
    Delivery,
}

/// A refusal with the decision trace that led to it.
///
/// `Display` is the detail, meant for the owner's trace and logs. A peer is told [`Refusal::peer_message`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {detail}")]
pub struct Refusal {
    cause: Cause,
    check: &'static str,
    detail: String,
    checks: Vec<Check>,
    stale: BTreeSet<Did>,
}

impl Refusal {
    pub(crate) fn new(cause: Cause, stop: Stop, checks: Vec<Check>, stale: BTreeSet<Did>) -> Self {
        Self { cause, check: stop.check, detail: stop.detail, checks, stale }
    }

    /// What kind of thing was refused.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// Name of the check that decided.
    #[must_use]
    pub const fn check(&self) -> &'static str {
        self.check
    }

    /// Every check that was made, in order, up to the one that decided.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// A short sentence that a peer may see. It never tells which issuers are trusted, which credential was
    /// bad or which key was tried.
    #[must_use]
    pub const fn peer_message(&self) -> &'static str {
        match self.cause {
            Cause::SelfIssuedToken => "The self-issued token is not valid.",
            Cause::AccessToken => "The access token does not grant this.",
            Cause::Presentation => "The presentation is not valid.",
            Cause::Credentials => "The presented credentials do not meet what is required.",
            Cause::Delivery => "The delivered credentials are not acceptable.",
        }
    }

    /// DIDs whose document did not hold the key that was named, or a key that fits the signature. When those
    /// documents came from a cache, fetch them again and repeat the verification once.
    #[must_use]
    pub const fn stale_documents(&self) -> &BTreeSet<Did> {
        &self.stale
    }
}
