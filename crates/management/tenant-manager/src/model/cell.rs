//! Cells.

use heddle_clock::Timestamp;
use heddle_ids::CellId;
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};

use super::{DeploymentState, Properties};

/// A zone where runtimes run. Owned by the installation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cell {
    pub(crate) id: CellId,
    /// What the operator calls it; unique unless empty.
    #[serde(default)]
    pub(crate) external_id: String,
    pub(crate) state: DeploymentState,
    pub(crate) state_since: Timestamp,
    #[serde(default)]
    pub(crate) properties: Properties,
}

impl Cell {
    pub(crate) fn is_active(&self) -> bool {
        self.state == DeploymentState::Active
    }
}

impl Aggregate for Cell {
    const KIND: &'static str = "cell";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        let unique_key = (!self.external_id.is_empty()).then(|| self.external_id.clone());
        Columns { unique_key, ..Columns::default() }
    }
}
