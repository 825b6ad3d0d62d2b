//! A flow as it is stored.

use std::borrow::Cow;

use heddle_dps::flow::{Flow, Side};
use heddle_ids::ParticipantContextId;
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};

use crate::table::LiveFlow;

/// How many addresses of a flow are kept: the present one, and those that replays of the last messages need.
const ADDRESSES_MAX: usize = 4;

/// A flow, with the control plane that drives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowRecord {
    /// The machine's value; its addresses are stubs.
    pub(crate) flow: Flow,
    /// Who drives it, and alone may.
    pub(crate) control_plane: String,
    /// SHA-256 of the access token that opens it, in hex, when this side has issued one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_sha256: Option<String>,
    /// Handles of the addresses that lie in the vault, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) addresses: Vec<String>,
    /// Grows with every change.
    #[serde(default)]
    pub(crate) revision: u64,
}

impl FlowRecord {
    /// A flow that was not stored yet.
    pub(crate) fn new(flow: Flow, control_plane: &str) -> Self {
        let control_plane = control_plane.to_owned();
        Self { flow, control_plane, token_sha256: None, addresses: Vec::new(), revision: 0 }
    }

    /// Jobs of one flow run one after the other.
    pub(crate) fn order_key(&self) -> String {
        format!("flow/{}", self.flow.id())
    }

    /// One more address lies in the vault. Gives the handles of those that need not be kept any more.
    pub(crate) fn add_address(&mut self, handle: String) -> Vec<String> {
        self.addresses.push(handle);
        let surplus = self.addresses.len().saturating_sub(ADDRESSES_MAX);
        self.addresses.drain(..surplus).collect()
    }

    /// What the proxy needs; none when nothing is served here.
    pub(crate) fn live(&self, participant: &ParticipantContextId) -> Option<LiveFlow> {
        let token_sha256 = self.token_sha256.clone()?;
        (self.flow.side() == Side::Provider).then(|| LiveFlow {
            participant: participant.clone(),
            dataset: self.flow.terms().dataset_id.clone(),
            token_sha256,
            state: self.flow.state(),
            revision: self.revision,
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
            state: Some(Cow::Borrowed(self.flow.state().as_str())),
            counter_party: Some(self.flow.terms().counter_party.to_string()),
            reference: Some(self.flow.terms().dataset_id.to_string()),
            ..Columns::default()
        }
    }
}
