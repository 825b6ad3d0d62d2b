//! A contract definition: which assets are offered, to whom, on which terms.

use heddle_clock::Timestamp;
use heddle_ids::{ContractDefinitionId, PolicyDefinitionId};
use heddle_store::{
    Aggregate,
    filter::{Condition, Filter, FilterError, Properties, condition},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Asset, asset::EDC_NAMESPACE};

/// One condition of a selector (Management API `Criterion`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Criterion {
    /// A property path.
    pub operand_left: String,
    /// `=`, `!=`, `in`, `not in`, `like`, `ilike`, `contains`, `<`, `<=`, `>`, `>=`.
    pub operator: String,
    /// What it is compared with.
    pub operand_right: Value,
}

/// Offers the selected assets under a contract policy to those who fulfil the access policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContractDefinition {
    /// Its id.
    pub id: ContractDefinitionId,
    /// Who sees the offer. The policy may not exist yet; then nobody does.
    pub access_policy: PolicyDefinitionId,
    /// The terms. The policy may not exist yet; then nothing is offered.
    pub contract_policy: PolicyDefinitionId,
    /// All must hold; empty selects every asset of the participant.
    #[serde(default)]
    pub selector: Vec<Criterion>,
    /// Properties that never leave the participant.
    #[serde(default)]
    pub private_properties: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ContractDefinition {
    /// Which assets it selects.
    #[must_use]
    pub fn selected(&self) -> Filter {
        let conditions: Result<Vec<Filter>, FilterError> =
            self.selector.iter().map(Criterion::filter).collect();
        // What cannot be read selects nothing; it was refused when the definition was made.
        conditions.map_or_else(|_| Filter::Any(Vec::new()), Filter::All)
    }

    /// Whether the selector takes `asset`.
    #[must_use]
    pub fn selects(&self, asset: &Asset) -> bool {
        self.selected().matches(asset.properties().unwrap_or_default().rows())
    }
}

impl Aggregate for ContractDefinition {
    const KIND: &'static str = "contract-definition";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn properties(&self) -> Option<Properties> {
        let selector: Value =
            self.selector.iter().map(|one| serde_json::to_value(one).unwrap_or_default()).collect();
        let own = Properties::default()
            .with_text("id", self.id.as_str())
            .with_text("accessPolicyId", self.access_policy.as_str())
            .with_text("contractPolicyId", self.contract_policy.as_str())
            .with_number("createdAt", self.created_at.as_millis())
            .with("assetsSelector", &selector);
        Some(with_private(own, &self.private_properties))
    }
}

impl Criterion {
    /// The condition on an asset.
    ///
    /// # Errors
    /// When the operator does not exist, or does not take the operand.
    pub fn filter(&self) -> Result<Filter, FilterError> {
        self.filter_at(&Asset::path(&self.operand_left))
    }

    /// The condition, at a path as properties have it.
    ///
    /// # Errors
    /// As for [`Criterion::filter`].
    pub fn filter_at(&self, path: &str) -> Result<Filter, FilterError> {
        condition(&Condition { path, operator: &self.operator, operand: &self.operand_right })
    }
}

/// With the properties that never leave the participant, as `privateProperties.name`.
pub(crate) fn with_private(own: Properties, private: &Map<String, Value>) -> Properties {
    private.iter().fold(own, |own, (name, value)| {
        let name = name.strip_prefix(EDC_NAMESPACE).unwrap_or(name);
        own.with(&format!("privateProperties.{name}"), value)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_takes_what_fulfils_all_of_it() {
        let asset: Asset = serde_json::from_value(json!({
            "id": "a", "createdAt": 0, "properties": {"name": "weather-7", "size": 7}, "privateProperties": {"k": "v"},
        }))
        .expect("an asset");
        let selects = |criteria: Value| {
            let definition = json!({"id": "d", "accessPolicy": "p", "contractPolicy": "p", "createdAt": 0, "selector": criteria});
            serde_json::from_value::<ContractDefinition>(definition).expect("a definition").selects(&asset)
        };
        let one = |left: &str, operator: &str, right: Value| json!({"operandLeft": left, "operator": operator, "operandRight": right});
        assert!(selects(json!([])));
        assert!(selects(json!([one("name", "like", json!("wea%")), one("size", ">", json!(6))])));
        assert!(selects(json!([one("privateProperties.'k'", "=", json!("v"))])));
        assert!(!selects(json!([one("name", "like", json!("wea%")), one("size", ">", json!(7))])));
        assert!(!selects(json!([one("colour", "!=", json!("red"))])), "what is not there is not different");
        assert!(!selects(json!([one("name", "resembles", json!("weather-7"))])));
    }
}
