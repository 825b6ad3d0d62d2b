//! What is ordered, and what is answered: the messages between Tenant Manager and Provision Manager.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An order for an orchestration. Its id makes it unique: the same manifest twice is one orchestration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrchestrationManifest {
    /// The id of the orchestration to be.
    pub id: String,
    /// What it is for, as whoever orders knows it: a participant profile.
    pub correlation_id: String,
    /// Which definition runs.
    pub orchestration_type: String,
    /// The template whose definition runs; the newest of the type unless one is named. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_ref: Option<String>,
    /// The first values.
    #[serde(default)]
    pub payload: Map<String, Value>,
}

/// How an orchestration ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrchestrationResponse {
    /// The id of this message.
    pub id: String,
    /// The orchestration.
    pub manifest_id: String,
    /// What it was for.
    pub correlation_id: String,
    /// Which definition ran.
    pub orchestration_type: String,
    /// Whether all activities are complete.
    pub success: bool,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_detail: Option<String>,
    /// The outputs of its activities.
    #[serde(default)]
    pub properties: Map<String, Value>,
}

impl OrchestrationResponse {
    /// The order key of the job that carries it: what one profile is told comes in order.
    #[must_use]
    pub fn order_key(&self) -> String {
        format!("profile/{}", self.correlation_id)
    }
}
