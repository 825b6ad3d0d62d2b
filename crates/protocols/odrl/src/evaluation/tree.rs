//! The explanation of an evaluation, as values to store and to show.

use heddle_clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    policy::{Connective, RuleKind},
    scope::PolicyScope,
};

/// The answer of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every permission and obligation holds, and no prohibition does.
    Permit,
    /// Some permission or obligation fails, or a prohibition holds.
    Deny,
}

/// What became of a part of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Satisfied. A prohibition that holds denies.
    Holds,
    /// Not satisfied.
    Fails,
    /// Not bound to the scope, so it was left out.
    Filtered,
}

/// An evaluated policy: the verdict, and every rule with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// The answer.
    pub verdict: Verdict,
    /// When in the life of a contract it was asked for.
    pub scope: PolicyScope,
    /// The time that it was evaluated for.
    pub at: Timestamp,
    /// Every rule, in the order of the policy: permissions, prohibitions, obligations.
    pub tree: Vec<RuleOutcome>,
}

/// An evaluated rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleOutcome {
    /// What the rule does with its action.
    pub kind: RuleKind,
    /// The action.
    pub action: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, as a sentence.
    pub why: String,
    /// Its constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<ConstraintOutcome>,
    /// Its duties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<RuleOutcome>,
}

/// An evaluated constraint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConstraintOutcome {
    /// A comparison.
    Atomic(AtomicOutcome),
    /// A combination.
    Logical(LogicalOutcome),
}

/// An evaluated comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AtomicOutcome {
    /// The left operand as the policy writes it.
    pub left_operand: String,
    /// The operator.
    pub operator: String,
    /// The right operand.
    pub right_operand: Value,
    /// What the left operand was, where its function can say: the time for `inForceDate`, the types of the peer's
    /// credentials for expressions about credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<Value>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, as a sentence.
    pub why: String,
    /// The id of a credential that satisfies the constraint alone, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// An evaluated combination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogicalOutcome {
    /// How its members are combined.
    pub connective: Connective,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, as a sentence.
    pub why: String,
    /// Its members, all of them evaluated.
    pub constraints: Vec<ConstraintOutcome>,
}

impl Evaluation {
    /// Whether the policy permits.
    #[must_use]
    pub fn is_permitted(&self) -> bool {
        self.verdict == Verdict::Permit
    }

    /// The sentences that say why the policy denies; none when it permits.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        self.tree.iter().filter(|rule| rule.denies()).map(|rule| rule.why.clone()).collect()
    }
}

impl RuleOutcome {
    /// Whether this rule makes the policy deny.
    #[must_use]
    pub fn denies(&self) -> bool {
        match self.kind {
            RuleKind::Prohibition => self.outcome == Outcome::Holds,
            RuleKind::Permission | RuleKind::Obligation | RuleKind::Duty => self.outcome == Outcome::Fails,
        }
    }
}

impl ConstraintOutcome {
    /// What became of it.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Atomic(atomic) => atomic.outcome,
            Self::Logical(logical) => logical.outcome,
        }
    }

    /// Why, as a sentence.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Self::Atomic(atomic) => &atomic.why,
            Self::Logical(logical) => &logical.why,
        }
    }
}
