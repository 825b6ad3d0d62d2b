//! What decides a constraint, and which scopes it and the actions are bound to.

mod in_force_date;

use std::{collections::BTreeMap, sync::Arc};

pub(crate) use in_force_date::in_force_date;

use crate::{
    cel::Expression,
    names,
    policy::{Constraint, Policy, Rule},
    scope::{PolicyScope, ScopeSet},
};

/// An expression bound to a left operand (and, by the way, to actions).
#[derive(Debug, Clone)]
pub struct BoundExpression {
    /// The left operand whose constraints it decides, in any spelling.
    pub left_operand: String,
    /// What decides.
    pub expression: Arc<Expression>,
    /// When it is evaluated.
    pub scopes: ScopeSet,
    /// Actions that it binds to the same scopes; rules about other unknown actions are filtered out.
    pub actions: Vec<String>,
}

/// Left operands and actions with the scopes that they are bound to.
///
/// A rule whose action is not bound to the scope of an evaluation, and a constraint whose left operand is not, are
/// removed before the policy is evaluated. Several expressions for one left operand must all hold.
#[derive(Debug, Clone)]
pub struct Functions {
    operands: BTreeMap<String, Vec<Bound>>,
    actions: BTreeMap<String, Vec<ScopeSet>>,
}

#[derive(Debug, Clone)]
struct Bound {
    decider: Decider,
    scopes: ScopeSet,
}

/// What decides a constraint.
#[derive(Debug, Clone)]
pub(crate) enum Decider {
    /// The built-in function over the time and the date of the agreement.
    InForceDate,
    /// An expression.
    Expression(Arc<Expression>),
}

/// A name in a policy that nothing is bound to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unbound {
    /// No function decides this left operand in any scope: every evaluation would ignore the constraint.
    #[error("leftOperand '{left_operand}' is not bound to any scopes: no function decides it")]
    LeftOperand {
        /// The expanded name.
        left_operand: String,
    },
    /// The action is bound to no scope: every evaluation would ignore the rule.
    #[error("action '{action}' is not bound to any scopes")]
    Action {
        /// The action.
        action: String,
    },
}

impl Functions {
    /// What every server has: the action `use` in every scope, and `inForceDate` in `transfer.process` and
    /// `policy.monitor`, which know the agreement that its dates may be relative to.
    #[must_use]
    pub fn built_in() -> Self {
        let with_agreement =
            [PolicyScope::TransferProcess, PolicyScope::PolicyMonitor].map(PolicyScope::as_str);
        let in_force_date = Bound { decider: Decider::InForceDate, scopes: ScopeSet::new(with_agreement) };
        Self {
            operands: BTreeMap::from([(names::left_operand("inForceDate"), vec![in_force_date])]),
            actions: BTreeMap::from([("use".to_owned(), vec![ScopeSet::all()])]),
        }
    }

    /// Adds an expression.
    pub fn bind(&mut self, bound: BoundExpression) {
        for action in &bound.actions {
            self.bind_action(action, bound.scopes.clone());
        }
        let operand = self.operands.entry(names::left_operand(&bound.left_operand)).or_default();
        operand.push(Bound { decider: Decider::Expression(bound.expression), scopes: bound.scopes });
    }

    /// Binds an action (`use`, `odrl:use`, an IRI) to more scopes.
    pub fn bind_action(&mut self, action: &str, scopes: ScopeSet) {
        self.actions.entry(names::odrl_term(action).to_owned()).or_default().push(scopes);
    }

    /// Whether rules about `action` count in `scope`.
    #[must_use]
    pub fn binds_action(&self, action: &str, scope: PolicyScope) -> bool {
        self.actions
            .get(names::odrl_term(action))
            .is_some_and(|sets| sets.iter().any(|set| set.contains(scope)))
    }

    /// Whether constraints on `left_operand` count in `scope`.
    #[must_use]
    pub fn binds_operand(&self, left_operand: &str, scope: PolicyScope) -> bool {
        self.deciders(left_operand, scope).next().is_some()
    }

    /// Every name in `policy` that is bound to nothing in any scope, without repetition: what a policy definition
    /// is refused for.
    #[must_use]
    pub fn unbound(&self, policy: &Policy) -> Vec<Unbound> {
        let mut found = Vec::new();
        for (_, rule) in policy.rules() {
            self.unbound_in_rule(rule, &mut found);
        }
        found
    }

    pub(crate) fn deciders(&self, left_operand: &str, scope: PolicyScope) -> impl Iterator<Item = &Decider> {
        let bound = self.operands.get(&names::left_operand(left_operand)).map_or(&[][..], Vec::as_slice);
        bound.iter().filter(move |bound| bound.scopes.contains(scope)).map(|bound| &bound.decider)
    }

    fn unbound_in_rule(&self, rule: &Rule, found: &mut Vec<Unbound>) {
        if !PolicyScope::ALL.into_iter().any(|scope| self.binds_action(&rule.action, scope)) {
            add(found, Unbound::Action { action: rule.action.clone() });
        }
        rule.constraint.iter().for_each(|constraint| self.unbound_in_constraint(constraint, found));
        rule.duty.iter().for_each(|duty| self.unbound_in_rule(duty, found));
    }

    fn unbound_in_constraint(&self, constraint: &Constraint, found: &mut Vec<Unbound>) {
        match constraint {
            Constraint::Atomic(atomic) => {
                if !PolicyScope::ALL.into_iter().any(|scope| self.binds_operand(&atomic.left_operand, scope))
                {
                    add(
                        found,
                        Unbound::LeftOperand { left_operand: names::left_operand(&atomic.left_operand) },
                    );
                }
            }
            Constraint::Logical(logical) => {
                logical.constraints.iter().for_each(|inner| self.unbound_in_constraint(inner, found));
            }
        }
    }
}

impl Default for Functions {
    fn default() -> Self {
        Self::built_in()
    }
}

fn add(found: &mut Vec<Unbound>, unbound: Unbound) {
    if !found.contains(&unbound) {
        found.push(unbound);
    }
}
