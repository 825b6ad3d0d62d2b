//! Why a signal was not taken.

use heddle_dps::flow::{Fault, Refused};
use heddle_store::StoreError;
use heddle_vault::VaultError;

/// Why a signal was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignalError {
    /// There is no such flow, or not for this control plane: 404.
    #[error("there is no such flow")]
    NotFound,
    /// The signal is not acceptable: 400.
    #[error("{0}")]
    Invalid(String),
    /// The flow's state does not allow it: 409.
    #[error("{0}")]
    Conflict(String),
    /// A defect of this plane.
    #[error("{0}")]
    Ours(String),
    /// The vault.
    #[error(transparent)]
    Vault(VaultError),
    /// The database.
    #[error(transparent)]
    Store(StoreError),
}

impl SignalError {
    /// Whether the same signal may be applied anew at once.
    pub(super) fn is_race(&self) -> bool {
        match self {
            Self::Store(StoreError::Stale { .. }) => true,
            Self::Store(StoreError::Duplicate { kind, .. }) => kind == "data-flow",
            _ => false,
        }
    }

    pub(super) fn busy() -> Self {
        Self::Conflict("the flow is being changed by others at this moment; send the signal again".to_owned())
    }
}

impl From<Refused> for SignalError {
    fn from(refused: Refused) -> Self {
        match refused.fault() {
            Fault::Request => Self::Invalid(refused.to_string()),
            Fault::Conflict => Self::Conflict(refused.to_string()),
            Fault::Ours => Self::Ours(refused.to_string()),
        }
    }
}

impl From<StoreError> for SignalError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Duplicate { kind, .. } if kind == "directory" => {
                Self::Conflict("the id of the flow is taken; a flow needs an id of its own".to_owned())
            }
            error => Self::Store(error),
        }
    }
}

impl From<VaultError> for SignalError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Store(error) => error.into(),
            VaultError::TooLarge { .. } => {
                Self::Invalid("the data address is too large to be kept".to_owned())
            }
            error => Self::Vault(error),
        }
    }
}
