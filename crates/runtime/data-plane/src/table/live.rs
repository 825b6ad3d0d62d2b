//! What the directory says of a flow.

use heddle_dps::State;
use heddle_ids::{AssetId, ParticipantContextId};
use heddle_store::{DirectoryRow, Published, StoreError};
use heddle_tenancy::Owner;
use serde::{Deserialize, Serialize};

/// Kind of the directory rows of flows that are served here.
pub(crate) const DIRECTORY: &str = "data-flow";

/// What the proxy needs to know of a flow. Its row is there as long as the flow is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LiveFlow {
    pub(crate) participant: ParticipantContextId,
    pub(crate) dataset: AssetId,
    pub(crate) state: State,
    /// SHA-256 of the access token, in hex.
    pub(crate) token_sha256: String,
    /// Grows with every change of the flow: of two values the one with more is the later.
    pub(crate) revision: u64,
}

impl LiveFlow {
    /// The row to publish.
    pub(crate) fn row(&self, id: &str) -> DirectoryRow {
        DirectoryRow::new(DIRECTORY, id, self)
    }

    /// Reads a row; none when its owner is not the participant that it names.
    pub(crate) fn of_row(row: &Published) -> Result<Option<Self>, StoreError> {
        let live: Self = row.value()?;
        let own = matches!(&row.owner, Owner::Participant(owner) if *owner == live.participant);
        Ok(own.then_some(live))
    }

    /// Whether data may flow.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Started
    }
}
