//! Whether an issuer is one, or is being removed. One row says so. Whatever makes something new for an issuer checks the
//! row in its own commit, and the removal changes it: so a request that was admitted before stores nothing behind it.

use heddle_ids::ParticipantContextId;
use heddle_store::{Aggregate, Loaded, StoreError};
use heddle_tenancy::Scope;
use serde::{Deserialize, Serialize};

use crate::IssuerService;

/// The row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) id: ParticipantContextId,
    /// Whether it is being removed.
    pub(crate) leaving: bool,
}

impl Aggregate for Standing {
    const KIND: &'static str = "issuer-standing";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// Why nothing new can be made for an issuer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotHeld {
    /// It is being removed.
    #[error("the issuer is being removed; wait until that is done")]
    Leaving,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Standing {
    /// Whether a commit failed because somebody else wrote the row at the same moment.
    pub(crate) fn collided(error: &StoreError) -> bool {
        matches!(error, StoreError::Duplicate { kind, .. } | StoreError::Stale { kind, .. } if kind == Self::KIND)
    }
}

impl IssuerService {
    /// The row of an issuer that is not being removed, which is to be checked in the commit that makes something new.
    /// Whoever comes first makes the row.
    pub(crate) async fn standing(
        &self,
        scope: &dyn Scope,
        issuer: &ParticipantContextId,
    ) -> Result<Loaded<Standing>, NotHeld> {
        loop {
            let mut transaction = self.parts.store.begin(scope);
            match transaction.load::<Standing>(issuer.as_str()).await? {
                Some(standing) if standing.leaving => return Err(NotHeld::Leaving),
                Some(standing) => return Ok(standing),
                None => transaction.insert(&Standing { id: issuer.clone(), leaving: false }),
            }
            match transaction.commit().await {
                Err(error) if !Standing::collided(&error) => return Err(error.into()),
                _ => {}
            }
        }
    }

    /// Whether the issuer that `scope` opens, or is narrowed from, is being removed.
    pub(crate) async fn is_being_removed(
        &self,
        scope: &dyn Scope,
        issuer: &ParticipantContextId,
    ) -> Result<bool, StoreError> {
        let standing = self.parts.store.begin(scope).load::<Standing>(issuer.as_str()).await?;
        Ok(standing.is_some_and(|standing| standing.leaving))
    }
}
