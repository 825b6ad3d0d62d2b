//! Rules: permissions, prohibitions, obligations and the duties of permissions.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Constraint, one_or_many};
use crate::names;

/// What a rule does with its action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// The action is allowed.
    Permission,
    /// The action is forbidden.
    Prohibition,
    /// The action must be done, by the policy.
    Obligation,
    /// The action must be done, by the permission that it belongs to.
    Duty,
}

impl RuleKind {
    /// The word for it: `permission`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::Prohibition => "prohibition",
            Self::Obligation => "obligation",
            Self::Duty => "duty",
        }
    }
}

/// A rule of a policy (DSP 2025-1, contract schema: `Permission`, `Prohibition`, `Duty`).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Rule {
    /// The action, as its bare term where it is one of ODRL's (`use`), else as an IRI.
    #[serde(deserialize_with = "action")]
    pub action: String,
    /// All of them must be satisfied for the rule to hold.
    #[serde(default, deserialize_with = "one_or_many::read", skip_serializing_if = "Vec::is_empty")]
    pub constraint: Vec<Constraint>,
    /// Duties of a permission. DSP 2025-1 dropped them; policies of older peers have them still.
    #[serde(default, deserialize_with = "one_or_many::read", skip_serializing_if = "Vec::is_empty")]
    pub duty: Vec<Rule>,
    /// Members that this model does not know. They count in [`crate::equivalent`].
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Rule {
    /// A rule about `action` that holds without any condition.
    #[must_use]
    pub fn new(action: impl Into<String>) -> Self {
        Self { action: action.into(), constraint: Vec::new(), duty: Vec::new(), extra: Map::new() }
    }

    /// The same rule under one more condition.
    #[must_use]
    pub fn with(mut self, constraint: impl Into<Constraint>) -> Self {
        self.constraint.push(constraint.into());
        self
    }

    pub(super) fn collect_left_operands<'a>(&'a self, found: &mut Vec<&'a str>) {
        for constraint in &self.constraint {
            constraint.collect_left_operands(found);
        }
        for duty in &self.duty {
            duty.collect_left_operands(found);
        }
    }
}

/// An action is a name; older peers wrap it as `{"@id": …}` or `{"@type": …}`.
fn action<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an action: a string, or an object with '@id'")]
    enum Action {
        Name(String),
        Reference {
            #[serde(rename = "@id", alias = "@type", alias = "type")]
            name: String,
        },
    }
    let (Action::Name(name) | Action::Reference { name }) = Action::deserialize(deserializer)?;
    Ok(names::odrl_term(&name).to_owned())
}
