//! A data plane that a participant has registered.

use heddle_clock::Timestamp;
use heddle_ids::DataPlaneId;
use heddle_store::Aggregate;
use serde::{Deserialize, Serialize};

/// A registered data plane. The secret of its authorization lies in the vault, under [`DataPlane::secret_alias`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataPlane {
    /// Its id.
    pub id: DataPlaneId,
    /// Where it takes signals; see Data Plane Signaling §"Base URL".
    pub endpoint: String,
    /// Transfer types that it serves.
    pub transfer_types: Vec<String>,
    /// Labels.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Where we get a token for it, if it wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Our client id there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// When it was registered first.
    pub created_at: Timestamp,
}

impl DataPlane {
    /// The alias of the client secret in the participant's vault.
    #[must_use]
    pub fn secret_alias(id: &DataPlaneId) -> String {
        format!("data-plane/{id}/client-secret")
    }

    /// Whether it can serve a transfer of this type with these labels.
    #[must_use]
    pub fn serves(&self, transfer_type: &str, labels: &[String]) -> bool {
        self.transfer_types.iter().any(|own| own == transfer_type)
            && labels.iter().all(|label| self.labels.contains(label))
    }

    /// The URL below which the flow operations lie: the endpoint, with `/dataflows` added unless it ends so.
    #[must_use]
    pub fn dataflows_url(&self) -> String {
        let endpoint = self.endpoint.trim_end_matches('/');
        if endpoint.ends_with("/dataflows") { endpoint.to_owned() } else { format!("{endpoint}/dataflows") }
    }
}

impl Aggregate for DataPlane {
    const KIND: &'static str = "data-plane";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}
