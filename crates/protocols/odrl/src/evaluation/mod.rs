//! Evaluation of policies: a verdict, and the whole tree of reasons.
//!
//! Before a rule is evaluated, what is not bound to the scope is left out: a rule whose action is not, a comparison
//! whose left operand is not, a combination of which nothing remains. What remains decides: every permission and
//! obligation must hold, no prohibition may. A prohibition of which all constraints were left out is unconditional.
//! Nothing is short-circuited, so that the tree is complete.

mod atomic;
mod tree;

use heddle_clock::Timestamp;
use serde_json::Value;

pub use tree::{AtomicOutcome, ConstraintOutcome, Evaluation, LogicalOutcome, Outcome, RuleOutcome, Verdict};

use crate::{
    functions::Functions,
    policy::{Connective, Constraint, LogicalConstraint, Policy, Rule, RuleKind},
    scope::PolicyScope,
};

/// Evaluates `policy` in `scope` at `now`.
///
/// `context` is the object that expressions see as `ctx`: in `catalog` and `contract.negotiation`
/// `agent {id, attributes, claims}`; in `transfer.process` also `agreement {id, agreementId, assetId, providerId,
/// consumerId, contractSigningDate}`; in `policy.monitor` `agreement` alone. The credentials of the peer are the list
/// `agent.claims.vc`.
///
/// What cannot be evaluated (a date that is none, an expression that fails) does not hold; the tree says why.
#[must_use]
pub fn evaluate(
    policy: &Policy,
    scope: PolicyScope,
    context: &Value,
    now: Timestamp,
    functions: &Functions,
) -> Evaluation {
    let evaluator = Evaluator { scope, functions, atomic: atomic::Atomic::new(context, now) };
    let tree: Vec<RuleOutcome> = policy.rules().map(|(kind, rule)| evaluator.rule(kind, rule)).collect();
    let verdict = if tree.iter().any(RuleOutcome::denies) { Verdict::Deny } else { Verdict::Permit };
    Evaluation { verdict, scope, at: now, tree }
}

struct Evaluator<'e> {
    scope: PolicyScope,
    functions: &'e Functions,
    atomic: atomic::Atomic<'e>,
}

impl Evaluator<'_> {
    fn rule(&self, kind: RuleKind, rule: &Rule) -> RuleOutcome {
        let action = rule.action.clone();
        if !self.functions.binds_action(&action, self.scope) {
            let why = format!("action '{action}' is not bound to scope '{}'", self.scope);
            return RuleOutcome {
                kind,
                action,
                outcome: Outcome::Filtered,
                why,
                constraints: Vec::new(),
                duties: Vec::new(),
            };
        }
        let constraints: Vec<_> =
            rule.constraint.iter().map(|constraint| self.constraint(constraint)).collect();
        let duties: Vec<_> = rule.duty.iter().map(|duty| self.rule(RuleKind::Duty, duty)).collect();
        let failed_constraint = constraints.iter().find(|inner| inner.outcome() == Outcome::Fails);
        let failed_duty = duties.iter().find(|duty| duty.denies());
        let failure =
            failed_constraint.map(ConstraintOutcome::why).or(failed_duty.map(|duty| duty.why.as_str()));
        let outcome = if failure.is_some() { Outcome::Fails } else { Outcome::Holds };
        let why = match (kind, failure) {
            (RuleKind::Prohibition, None) => {
                format!("'{action}' is prohibited, and every condition of that is met")
            }
            (RuleKind::Prohibition, Some(why)) => {
                format!("the prohibition of '{action}' does not apply: {why}")
            }
            (_, None) => format!("every condition of the {} of '{action}' is met", kind.as_str()),
            (_, Some(why)) => format!("the {} of '{action}' fails: {why}", kind.as_str()),
        };
        RuleOutcome { kind, action, outcome, why, constraints, duties }
    }

    fn constraint(&self, constraint: &Constraint) -> ConstraintOutcome {
        match constraint {
            Constraint::Atomic(atomic) => {
                let deciders = self.functions.deciders(&atomic.left_operand, self.scope);
                ConstraintOutcome::Atomic(self.atomic.evaluate(atomic, deciders, self.scope))
            }
            Constraint::Logical(logical) => ConstraintOutcome::Logical(self.logical(logical)),
        }
    }

    fn logical(&self, logical: &LogicalConstraint) -> LogicalOutcome {
        let constraints: Vec<_> = logical.constraints.iter().map(|inner| self.constraint(inner)).collect();
        let count = |wanted| constraints.iter().filter(|inner| inner.outcome() == wanted).count();
        let (holding, failing) = (count(Outcome::Holds), count(Outcome::Fails));
        let connective = logical.connective;
        let holds = match connective {
            Connective::And | Connective::AndSequence => failing == 0,
            Connective::Or => holding > 0,
            Connective::Xone => holding == 1,
        };
        let remaining = holding + failing;
        let (outcome, why) = match (remaining, holds) {
            (0, _) => (
                Outcome::Filtered,
                format!("no member of '{}' is bound to scope '{}'", connective.as_str(), self.scope),
            ),
            (_, holds) => {
                let outcome = if holds { Outcome::Holds } else { Outcome::Fails };
                (outcome, tally(connective, holding, remaining, &constraints))
            }
        };
        LogicalOutcome { connective, outcome, why, constraints }
    }
}

/// How many members hold, how many must, and what the failing ones say when there is something to mend.
fn tally(connective: Connective, holding: usize, remaining: usize, members: &[ConstraintOutcome]) -> String {
    let needed = match connective {
        Connective::And | Connective::AndSequence => "all must",
        Connective::Or => "one must",
        Connective::Xone => "exactly one must",
    };
    let mut why = format!("{holding} of {remaining} members of '{}' hold, {needed}", connective.as_str());
    let failing = members.iter().filter(|inner| inner.outcome() == Outcome::Fails);
    for (index, inner) in failing.enumerate() {
        why.push_str(if index == 0 { ": " } else { "; " });
        why.push_str(inner.why());
    }
    why
}
