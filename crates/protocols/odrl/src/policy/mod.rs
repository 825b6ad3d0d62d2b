//! The policy model, in the shape that offers, agreements and policy definitions share.
//!
//! Reading is tolerant (a missing list is none, one object stands for a list of one, `null` is absent, `odrl:` names
//! are shortened); writing is strict: no empty lists, no right operand that the schema forbids.

mod constraint;
mod one_or_many;
mod operand;
mod rule;
mod validity;
mod wire;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use constraint::{AtomicConstraint, Connective, Constraint, LogicalConstraint};
pub use operand::{Operator, RightOperand};
pub use rule::{Rule, RuleKind};
pub use validity::InvalidPolicy;

/// What a policy is (its `@type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PolicyKind {
    /// A policy definition: nobody offers it yet.
    #[serde(alias = "odrl:Set", alias = "http://www.w3.org/ns/odrl/2/Set")]
    Set,
    /// An offer, in a catalog or in a negotiation message.
    #[serde(alias = "odrl:Offer", alias = "http://www.w3.org/ns/odrl/2/Offer")]
    Offer,
    /// An agreement between an assigner (provider) and an assignee (consumer).
    #[serde(alias = "odrl:Agreement", alias = "http://www.w3.org/ns/odrl/2/Agreement")]
    Agreement,
}

/// A usage policy (DSP 2025-1, contract schema: `MessageOffer`, `Offer`, `Agreement`; ODRL 2.2 §2.1).
///
/// The fields are open: [`Policy::validate`] says whether a policy may be used as what its kind says. Deserialising
/// bounds the number and the nesting of rules and constraints ([`Policy::RULES_MAX`] and its neighbours); a policy
/// without `@type` is an offer, as catalogs may leave it out.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "wire::PolicyWire", into = "wire::PolicyWire")]
pub struct Policy {
    /// What the policy is.
    pub kind: PolicyKind,
    /// `@id`; offers and agreements have one, a set inside a policy definition need not.
    pub id: Option<String>,
    /// The dataset that the policy is about. Rules have no target of their own.
    pub target: Option<String>,
    /// The party that grants: the provider.
    pub assigner: Option<String>,
    /// The party that receives: the consumer.
    pub assignee: Option<String>,
    /// When an agreement was signed, as `xsd:dateTime`; as the provider wrote it.
    pub timestamp: Option<String>,
    /// What is allowed; every permission must hold.
    pub permission: Vec<Rule>,
    /// What is forbidden; none may hold.
    pub prohibition: Vec<Rule>,
    /// What must be done; every obligation must hold.
    pub obligation: Vec<Rule>,
    /// ODRL profiles that give the policy's terms their meaning.
    pub profile: Vec<String>,
    /// Members that this model does not know, kept so that nothing is lost between reading and writing.
    pub extra: Map<String, Value>,
}

impl Policy {
    /// Most rules (permissions, prohibitions, obligations and duties together) in one policy.
    pub const RULES_MAX: usize = 256;
    /// Most constraints, logical ones included, in one policy.
    pub const CONSTRAINTS_MAX: usize = 1024;
    /// Deepest nesting of constraints in constraints and of duties in rules.
    pub const DEPTH_MAX: usize = 16;

    /// A policy of `kind` that says nothing.
    #[must_use]
    pub fn new(kind: PolicyKind) -> Self {
        Self {
            kind,
            id: None,
            target: None,
            assigner: None,
            assignee: None,
            timestamp: None,
            permission: Vec::new(),
            prohibition: Vec::new(),
            obligation: Vec::new(),
            profile: Vec::new(),
            extra: Map::new(),
        }
    }

    /// The same rules as an offer with `id` for `target` (DSP 2025-1: a catalog's offers have no target, the offers
    /// of messages have one).
    #[must_use]
    pub fn to_offer(&self, id: impl Into<String>, target: Option<String>) -> Self {
        Self { kind: PolicyKind::Offer, id: Some(id.into()), target, timestamp: None, ..self.clone() }
    }

    /// Every rule of the policy with its kind, in the order permissions, prohibitions, obligations.
    pub fn rules(&self) -> impl Iterator<Item = (RuleKind, &Rule)> {
        let permissions = self.permission.iter().map(|rule| (RuleKind::Permission, rule));
        let prohibitions = self.prohibition.iter().map(|rule| (RuleKind::Prohibition, rule));
        let obligations = self.obligation.iter().map(|rule| (RuleKind::Obligation, rule));
        permissions.chain(prohibitions).chain(obligations)
    }

    /// Every left operand that the policy uses, as written, duties included; one may come more than once.
    #[must_use]
    pub fn left_operands(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for (_, rule) in self.rules() {
            rule.collect_left_operands(&mut found);
        }
        found
    }
}
