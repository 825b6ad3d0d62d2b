//! Whether a participant is on this plane. One row says so; every registration of a control plane changes it, and so does
//! the removal, so that of the two at the same moment one fails and looks again.
//!
//! The row outlives the participant: tokens from before its end are good for a while longer, and must not bring it
//! back. Whoever administers participants may, by registering a control plane for it anew.

use heddle_ids::ParticipantContextId;
use heddle_store::{Aggregate, Loaded, StoreError, Transaction};
use heddle_tenancy::ParticipantScope;
use serde::{Deserialize, Serialize};

use crate::DataPlane;

/// How far a participant is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Stay {
    /// A control plane was registered for it.
    Here,
    /// It is being removed.
    #[serde(rename_all = "camelCase")]
    Leaving {
        /// The control planes that were registered, whose secrets are to go.
        control_planes: Vec<String>,
    },
    /// Everything of it is away.
    Gone,
}

/// The row.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Presence {
    pub(crate) id: ParticipantContextId,
    pub(crate) stay: Stay,
}

impl Aggregate for Presence {
    const KIND: &'static str = "data-plane-participant";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// On whose word a control plane is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// The participant's own.
    Own,
    /// Somebody's who administers participants.
    Administrator,
}

/// Why no control plane is registered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAdmitted {
    /// The removal is under way.
    #[error("the participant is being removed from this data plane; wait until that is done")]
    Leaving,
    /// It was removed, and asks itself.
    #[error(
        "the participant was removed from this data plane; whoever administers participants has to register a control \
         plane for it anew"
    )]
    Gone,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Presence {
    pub(crate) async fn load(
        transaction: &mut Transaction<'_>,
        id: &ParticipantContextId,
    ) -> Result<Option<Loaded<Self>>, StoreError> {
        transaction.load(id.as_str()).await
    }

    /// Lets the participant be here from this commit on, which fails when it is being removed at the same moment.
    pub(crate) async fn admit(
        transaction: &mut Transaction<'_>,
        id: &ParticipantContextId,
        word: Word,
    ) -> Result<(), NotAdmitted> {
        let known = Self::load(transaction, id).await?;
        match known.as_ref().map(|known| &known.stay) {
            Some(Stay::Leaving { .. }) => return Err(NotAdmitted::Leaving),
            Some(Stay::Gone) if word == Word::Own => return Err(NotAdmitted::Gone),
            _ => Self::put(transaction, known.as_ref(), id, Stay::Here),
        }
        Ok(())
    }

    /// Writes the row in the caller's commit, which fails when somebody else has written it since it was loaded.
    pub(crate) fn put(
        transaction: &mut Transaction<'_>,
        known: Option<&Loaded<Self>>,
        id: &ParticipantContextId,
        stay: Stay,
    ) {
        let next = Self { id: id.clone(), stay };
        match known {
            Some(known) => transaction.save(known, &next),
            None => transaction.insert(&next),
        }
    }

    /// Whether a commit failed because somebody else wrote the row at the same moment.
    pub(crate) fn collided(error: &StoreError) -> bool {
        matches!(error, StoreError::Duplicate { kind, .. } | StoreError::Stale { kind, .. } if kind == Self::KIND)
    }
}

impl DataPlane {
    /// How far the participant is; nothing when it has never been here.
    pub(crate) async fn stay(&self, scope: &ParticipantScope) -> Result<Option<Stay>, StoreError> {
        let loaded = Presence::load(&mut self.store.begin(scope), scope.participant()).await?;
        Ok(loaded.map(|presence| presence.into_value().stay))
    }
}
