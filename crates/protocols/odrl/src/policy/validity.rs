//! What a policy must have to be used as what it says it is, and how large it may be.

use super::{Constraint, Policy, PolicyKind, Rule};

/// Why a policy may not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// A list that must not be empty is.
    #[error("the {0:?} has neither a permission nor a prohibition; it must have at least one of them")]
    NoRule(PolicyKind),
    /// A required member is absent or empty.
    #[error("the {kind:?} has no '{member}'; it must name one")]
    Missing {
        /// What the policy is.
        kind: PolicyKind,
        /// The JSON member.
        member: &'static str,
    },
    /// A rule names a target of its own (DSP 2025-1: the target belongs to the offer or agreement).
    #[error("a rule about '{action}' has a target of its own; only the policy may have one")]
    RuleWithTarget {
        /// The action of that rule.
        action: String,
    },
    /// An action or a left operand is empty.
    #[error("a rule or a constraint has an empty '{member}'")]
    Empty {
        /// The JSON member.
        member: &'static str,
    },
    /// A logical constraint over nothing.
    #[error("a logical constraint '{connective}' has no members; it must have at least one")]
    EmptyLogical {
        /// The connective.
        connective: &'static str,
    },
    /// More rules or constraints than the limit, or nested deeper.
    #[error("the policy has more {what} than the limit of {max}")]
    TooLarge {
        /// What is too many.
        what: &'static str,
        /// The limit that was passed.
        max: usize,
    },
}

impl Policy {
    /// Whether the policy may be used as what its kind says (DSP 2025-1, contract schema and prose): offers and
    /// agreements have an id and a permission or prohibition; agreements a target, an assigner and an assignee; no
    /// rule has a target; no name is empty; the limits hold.
    pub fn validate(&self) -> Result<(), InvalidPolicy> {
        self.within_limits()?;
        let kind = self.kind;
        let required: &[(&'static str, &Option<String>)] = match kind {
            PolicyKind::Set => &[],
            PolicyKind::Offer => &[("@id", &self.id)],
            PolicyKind::Agreement => &[
                ("@id", &self.id),
                ("target", &self.target),
                ("assigner", &self.assigner),
                ("assignee", &self.assignee),
            ],
        };
        for (member, value) in required {
            if value.as_deref().is_none_or(str::is_empty) {
                return Err(InvalidPolicy::Missing { kind, member });
            }
        }
        if kind != PolicyKind::Set && self.permission.is_empty() && self.prohibition.is_empty() {
            return Err(InvalidPolicy::NoRule(kind));
        }
        self.rules().try_for_each(|(_, rule)| validate_rule(rule))
    }

    /// Whether the number and the nesting of rules and constraints keep to the limits.
    pub(super) fn within_limits(&self) -> Result<(), InvalidPolicy> {
        let mut count = Count { rules: 0, constraints: 0 };
        self.rules().try_for_each(|(_, rule)| count.rule(rule, 1))
    }
}

fn validate_rule(rule: &Rule) -> Result<(), InvalidPolicy> {
    if rule.action.is_empty() {
        return Err(InvalidPolicy::Empty { member: "action" });
    }
    if rule.extra.contains_key("target") {
        return Err(InvalidPolicy::RuleWithTarget { action: rule.action.clone() });
    }
    rule.constraint.iter().try_for_each(validate_constraint)?;
    rule.duty.iter().try_for_each(validate_rule)
}

fn validate_constraint(constraint: &Constraint) -> Result<(), InvalidPolicy> {
    match constraint {
        Constraint::Atomic(atomic) if atomic.left_operand.is_empty() => {
            Err(InvalidPolicy::Empty { member: "leftOperand" })
        }
        Constraint::Atomic(_) => Ok(()),
        Constraint::Logical(logical) if logical.constraints.is_empty() => {
            Err(InvalidPolicy::EmptyLogical { connective: logical.connective.as_str() })
        }
        Constraint::Logical(logical) => logical.constraints.iter().try_for_each(validate_constraint),
    }
}

struct Count {
    rules: usize,
    constraints: usize,
}

impl Count {
    fn rule(&mut self, rule: &Rule, depth: usize) -> Result<(), InvalidPolicy> {
        self.rules += 1;
        within("rules", self.rules, Policy::RULES_MAX)?;
        within("levels of nesting", depth, Policy::DEPTH_MAX)?;
        rule.constraint.iter().try_for_each(|constraint| self.constraint(constraint, depth + 1))?;
        rule.duty.iter().try_for_each(|duty| self.rule(duty, depth + 1))
    }

    fn constraint(&mut self, constraint: &Constraint, depth: usize) -> Result<(), InvalidPolicy> {
        self.constraints += 1;
        within("constraints", self.constraints, Policy::CONSTRAINTS_MAX)?;
        within("levels of nesting", depth, Policy::DEPTH_MAX)?;
        match constraint {
            Constraint::Atomic(_) => Ok(()),
            Constraint::Logical(logical) => {
                logical.constraints.iter().try_for_each(|inner| self.constraint(inner, depth + 1))
            }
        }
    }
}

const fn within(what: &'static str, count: usize, max: usize) -> Result<(), InvalidPolicy> {
    if count > max { Err(InvalidPolicy::TooLarge { what, max }) } else { Ok(()) }
}
