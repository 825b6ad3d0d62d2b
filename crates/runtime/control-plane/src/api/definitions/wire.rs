//! Contract definitions as documents (Management API, schema `contract-definition`).

use heddle_clock::Timestamp;
use heddle_ids::{ContractDefinitionId, PolicyDefinitionId};
use heddle_web::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TYPE;
use crate::{
    api::{
        answer::Shown,
        document::Described,
        query::{Queryable, conditions},
    },
    model::{Asset, ContractDefinition, Criterion},
};

/// A definition as a client writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DefinitionDocument {
    #[serde(rename = "@id", default)]
    pub(super) id: Option<ContractDefinitionId>,
    access_policy_id: PolicyDefinitionId,
    contract_policy_id: PolicyDefinitionId,
    #[serde(default)]
    assets_selector: Vec<Criterion>,
    #[serde(default)]
    private_properties: Map<String, Value>,
}

impl Described for DefinitionDocument {
    const TYPES: &'static [&'static str] = &[TYPE];
}

impl DefinitionDocument {
    /// The definition, if its selector holds together.
    pub(super) fn into_definition(
        self,
        id: ContractDefinitionId,
        created_at: Timestamp,
    ) -> Result<ContractDefinition, Rejection> {
        conditions("/assetsSelector", &self.assets_selector, &|written| Ok(Asset::path(written)))?;
        Ok(ContractDefinition {
            id,
            access_policy: self.access_policy_id,
            contract_policy: self.contract_policy_id,
            selector: self.assets_selector,
            private_properties: self.private_properties,
            created_at,
        })
    }
}

/// A definition as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DefinitionBody<'a> {
    #[serde(rename = "@id")]
    id: &'a ContractDefinitionId,
    access_policy_id: &'a PolicyDefinitionId,
    contract_policy_id: &'a PolicyDefinitionId,
    assets_selector: Vec<CriterionBody<'a>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    private_properties: &'a Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct CriterionBody<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(flatten)]
    criterion: &'a Criterion,
}

/// What a client sees.
pub(super) fn shown(definition: &ContractDefinition) -> Shown<DefinitionBody<'_>> {
    let selector = definition.selector.iter();
    let body = DefinitionBody {
        id: &definition.id,
        access_policy_id: &definition.access_policy,
        contract_policy_id: &definition.contract_policy,
        assets_selector: selector.map(|criterion| CriterionBody { kind: "Criterion", criterion }).collect(),
        private_properties: &definition.private_properties,
    };
    Shown::new(TYPE, body)
}

impl Queryable for ContractDefinition {
    const PATHS: &'static [&'static str] =
        &["id", "accessPolicyId", "contractPolicyId", "createdAt", "privateProperties.", "assetsSelector."];
}
