//! What became of an attempt to send, and what follows.

use std::time::Duration;

use heddle_auth::SelfIssuedError;
use heddle_clock::Timestamp;
use heddle_dcp::issuance::holder::Event;
use heddle_ids::IssuerPid;
use heddle_outbound::{OutboundError, ResolveError, RetryClass};
use heddle_store::{ClaimedJob, Loaded, StoreError};

use crate::{signing::SigningError, wallet::CredentialRequest};

/// Attempts after which the request ends in an error; fewer than the worker's own limit.
const ATTEMPTS_MAX: u32 = 18;
/// For how long an answer that may come from a restarting peer (401, 404) is not taken for final.
const BRIEFLY: Duration = Duration::from_secs(120);

/// Why the issuer does not have the request.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error(transparent)]
    Token(#[from] SelfIssuedError),
    #[error(transparent)]
    Signing(#[from] SigningError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Issuer(String),
}

impl SendError {
    fn class(&self) -> RetryClass {
        let retry = |again: bool| if again { RetryClass::Retry { after: None } } else { RetryClass::Final };
        match self {
            Self::Resolve(error) => error.class(),
            Self::Outbound(error) => error.class(),
            Self::Token(error) => retry(error.is_retryable()),
            Self::Signing(error) => retry(matches!(error, SigningError::Vault(_) | SigningError::Store(_))),
            Self::Store(error) => retry(error.is_retryable()),
            Self::Issuer(_) => RetryClass::Final,
        }
    }

    /// The issuer knows a request under this id already.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Outbound(error) if error.status().is_some_and(|s| s.as_u16() == 409))
    }
}

/// What the issuer said: where it tells how far it is.
pub(super) struct Accepted {
    pub(super) location: Option<String>,
}

/// Whether to try again, and not before which time.
pub(super) fn again(error: &SendError, job: &ClaimedJob, now: Timestamp) -> Option<Option<Duration>> {
    if job.attempts + 1 >= ATTEMPTS_MAX {
        return None;
    }
    match error.class() {
        RetryClass::Retry { after } => Some(after),
        RetryClass::RetryBriefly if now.since(job.created_at) < BRIEFLY => Some(None),
        RetryClass::RetryBriefly | RetryClass::Final => None,
    }
}

/// The request after an attempt that is the last; `None` when it was answered meanwhile.
pub(super) fn next(
    request: &Loaded<CredentialRequest>,
    sent: &CredentialRequest,
    outcome: Result<Accepted, SendError>,
    now: Timestamp,
) -> Option<CredentialRequest> {
    match outcome {
        Ok(accepted) => {
            let mut next = request.after(Event::Accepted, now).ok()?;
            next.wanted.clone_from(&sent.wanted);
            next.issuer_pid = next.issuer_pid.or_else(|| accepted.location.as_deref().and_then(pid_of));
            next.location = accepted.location;
            Some(next)
        }
        // Once it is answered there is no arrow for a failure, and the answer stands.
        Err(error) => Some(request.after(Event::Failed, now).ok()?.because(&error.to_string())),
    }
}

/// The last segment of a location is the issuer's id of the process, by custom.
fn pid_of(location: &str) -> Option<IssuerPid> {
    let path = location.split(['?', '#']).next().unwrap_or_default();
    IssuerPid::parse(path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()).ok()
}
