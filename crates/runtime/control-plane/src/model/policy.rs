//! A policy definition.

use heddle_clock::Timestamp;
use heddle_ids::PolicyDefinitionId;
use heddle_odrl::Policy;
use heddle_store::{Aggregate, filter::Properties};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::with_private;

/// A policy under a name, for contract definitions to refer to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyDefinition {
    /// Its id.
    pub id: PolicyDefinitionId,
    /// The policy, of kind `Set`.
    pub policy: Policy,
    /// Properties that never leave the participant.
    #[serde(default)]
    pub private_properties: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Aggregate for PolicyDefinition {
    const KIND: &'static str = "policy-definition";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn properties(&self) -> Option<Properties> {
        let policy = serde_json::to_value(&self.policy).unwrap_or_default();
        let own = Properties::default()
            .with_text("id", self.id.as_str())
            .with_number("createdAt", self.created_at.as_millis())
            .with("policy", &policy);
        Some(with_private(own, &self.private_properties))
    }
}
