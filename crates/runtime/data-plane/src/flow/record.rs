//! A flow as it is stored.

use std::borrow::Cow;

use heddle_dps::flow::{Flow, Side};
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};

use crate::table::LiveFlow;

/// A flow, with the control plane that drives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowRecord {
    /// The machine's value.
    pub(crate) flow: Flow,
    /// Who drives it, and alone may.
    pub(crate) control_plane: String,
    /// SHA-256 of the access token that opens it, when this side has issued one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_sha256: Option<String>,
}

impl FlowRecord {
    /// Jobs of one flow run one after the other.
    pub(crate) fn order_key(&self) -> String {
        format!("flow/{}", self.flow.id())
    }

    /// What the proxy needs; none when nothing is served here.
    pub(crate) fn live(&self, participant: &heddle_ids::ParticipantContextId) -> Option<LiveFlow> {
        let token_sha256 = self.token_sha256.clone()?;
        if self.flow.side() != Side::Provider {
            return None;
        }
        Some(LiveFlow {
            participant: participant.clone(),
            dataset: self.flow.terms().dataset_id.to_string(),
            token_sha256,
            open: self.flow.admits_data(),
        })
    }
}

impl Aggregate for FlowRecord {
    const KIND: &'static str = "data-flow";

    fn id(&self) -> &str {
        self.flow.id().as_str()
    }

    fn columns(&self) -> Columns {
        Columns {
            state: Some(Cow::Owned(self.flow.state().to_string())),
            counter_party: Some(self.flow.terms().counter_party.to_string()),
            reference: Some(self.flow.terms().dataset_id.to_string()),
            ..Columns::default()
        }
    }
}
