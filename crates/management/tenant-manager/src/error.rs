//! Why something is not done. The sentences are shown to the caller.

use heddle_did::Did;
use heddle_store::StoreError;

use crate::{deployment::CannotDeploy, model::DeploymentState};

/// A refusal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Bad request: {0}")]
    CannotDeploy(#[from] CannotDeploy),
    /// The sentence of the reference.
    #[error("Bad request: cannot delete tenant with participants")]
    HasParticipants,
    #[error(
        "Conflict: a participant profile with the identifier '{0}' exists; dispose of it or use another DID"
    )]
    IdentifierTaken(Did),
    #[error("Not found")]
    NotFound,
    #[error(
        "Conflict: only an active participant profile can be disposed of, and this one is {}",
        .0.name()
    )]
    NotActive(DeploymentState),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("Conflict: the tenant is being deleted; it gets no further participant profiles")]
    TenantClosing,
}
