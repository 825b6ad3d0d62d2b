//! The JSON members of a policy.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{InvalidPolicy, Policy, PolicyKind, Rule, one_or_many};

#[derive(Serialize, Deserialize)]
pub(super) struct PolicyWire {
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "@type", default = "offer")]
    kind: PolicyKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assigner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(default, deserialize_with = "one_or_many::read", skip_serializing_if = "Vec::is_empty")]
    profile: Vec<String>,
    #[serde(default, deserialize_with = "one_or_many::read", skip_serializing_if = "Vec::is_empty")]
    permission: Vec<Rule>,
    #[serde(default, deserialize_with = "one_or_many::read", skip_serializing_if = "Vec::is_empty")]
    prohibition: Vec<Rule>,
    #[serde(default, deserialize_with = "one_or_many::read", skip_serializing_if = "Vec::is_empty")]
    obligation: Vec<Rule>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

const fn offer() -> PolicyKind {
    PolicyKind::Offer
}

impl TryFrom<PolicyWire> for Policy {
    type Error = InvalidPolicy;

    fn try_from(wire: PolicyWire) -> Result<Self, InvalidPolicy> {
        let mut extra = wire.extra;
        // The context belongs to the document, and null says the same as absent.
        extra.retain(|name, value| name != "@context" && !value.is_null());
        let policy = Self {
            kind: wire.kind,
            id: wire.id,
            target: wire.target,
            assigner: wire.assigner,
            assignee: wire.assignee,
            timestamp: wire.timestamp,
            permission: wire.permission,
            prohibition: wire.prohibition,
            obligation: wire.obligation,
            profile: wire.profile,
            extra,
        };
        policy.within_limits()?;
        Ok(policy)
    }
}

impl From<Policy> for PolicyWire {
    fn from(policy: Policy) -> Self {
        Self {
            id: policy.id,
            kind: policy.kind,
            target: policy.target,
            assigner: policy.assigner,
            assignee: policy.assignee,
            timestamp: policy.timestamp,
            profile: policy.profile,
            permission: policy.permission,
            prohibition: policy.prohibition,
            obligation: policy.obligation,
            extra: policy.extra,
        }
    }
}
