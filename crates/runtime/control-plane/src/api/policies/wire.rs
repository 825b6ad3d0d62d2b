//! Policy definitions as documents (Management API, schema `policy-definition`).

use heddle_clock::Timestamp;
use heddle_ids::PolicyDefinitionId;
use heddle_odrl::{Policy, PolicyKind, Unbound};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TYPE;
use crate::{
    api::{answer::Shown, document::Described, query::Queryable},
    model::PolicyDefinition,
};

/// A definition as a client writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyDocument {
    #[serde(rename = "@id", default)]
    pub(super) id: Option<PolicyDefinitionId>,
    pub(super) policy: Policy,
    #[serde(default)]
    pub(super) private_properties: Map<String, Value>,
}

impl Described for PolicyDocument {
    const TYPES: &'static [&'static str] = &[TYPE];
}

/// A definition as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyBody<'a> {
    #[serde(rename = "@id")]
    id: &'a PolicyDefinitionId,
    created_at: Timestamp,
    policy: &'a Policy,
    #[serde(skip_serializing_if = "Map::is_empty")]
    private_properties: &'a Map<String, Value>,
}

/// What a client sees.
pub(super) fn shown(definition: &PolicyDefinition) -> Shown<PolicyBody<'_>> {
    let PolicyDefinition { id, policy, private_properties, created_at } = definition;
    Shown::new(TYPE, PolicyBody { id, created_at: *created_at, policy, private_properties })
}

/// Whether a definition can be used, and why not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Validation {
    pub(super) is_valid: bool,
    pub(super) errors: Vec<String>,
}

impl Queryable for PolicyDefinition {
    const PATHS: &'static [&'static str] = &["id", "createdAt", "policy.", "privateProperties."];
}

/// Everything that speaks against a policy as a definition; empty when nothing does.
pub(super) fn faults(policy: &Policy, unbound: &[Unbound]) -> Vec<String> {
    let kind = (policy.kind != PolicyKind::Set)
        .then(|| "the policy of a definition has the '@type' 'Set'".to_owned());
    let invalid = policy.validate().err().map(|invalid| invalid.to_string());
    let names = unbound.iter().map(ToString::to_string);
    kind.into_iter().chain(invalid).chain(names).collect()
}
