//! Why a delivery failed, and whether to try again.

use std::time::Duration;

use heddle_auth::SelfIssuedError;
use heddle_clock::Timestamp;
use heddle_ids::CredentialId;
use heddle_outbound::{OutboundError, ResolveError, RetryClass};
use heddle_store::{ClaimedJob, StoreError};
use heddle_vault::VaultError;

use crate::issuer::SigningError;

/// Attempts after which a process ends in an error; fewer than the worker's own limit.
const ATTEMPTS_MAX: u32 = 18;
/// For how long an answer that may come from a restarting peer (401, 404) is not taken for final.
const BRIEFLY: Duration = Duration::from_secs(120);

/// Why a holder does not have its credentials.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeliveryError {
    #[error("the issuer's participant context is not active")]
    Inactive,
    #[error("the signed credential '{0}' is gone; have it requested again")]
    Lost(CredentialId),
    #[error("the DID document of {0} has no CredentialService")]
    NoService(String),
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
}

impl DeliveryError {
    fn class(&self) -> RetryClass {
        let retry = |again: bool| if again { RetryClass::Retry { after: None } } else { RetryClass::Final };
        match self {
            Self::Resolve(error) => error.class(),
            Self::Outbound(error) => error.class(),
            Self::Token(error) => retry(error.is_retryable()),
            Self::Signing(SigningError::Vault(error)) => {
                retry(!matches!(error, VaultError::KeyMissing { .. }))
            }
            Self::Store(_) => retry(true),
            Self::Inactive | Self::Lost(_) | Self::NoService(_) | Self::Signing(_) => RetryClass::Final,
        }
    }
}

/// Whether to try again, and not before which time.
pub(super) fn again(error: &DeliveryError, job: &ClaimedJob, now: Timestamp) -> Option<Option<Duration>> {
    if job.attempts + 1 >= ATTEMPTS_MAX {
        return None;
    }
    match error.class() {
        RetryClass::Retry { after } => Some(after),
        RetryClass::RetryBriefly if now.since(job.created_at) < BRIEFLY => Some(None),
        RetryClass::RetryBriefly | RetryClass::Final => None,
    }
}
