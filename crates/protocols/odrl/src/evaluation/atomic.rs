//! The evaluation of one comparison.

use std::cell::{Cell, OnceCell};

use heddle_clock::Timestamp;
use serde_json::Value;

use super::{AtomicOutcome, Outcome};
use crate::{
    cel::{EvaluationError, Expression, Session, This},
    functions::{Decider, in_force_date},
    names,
    policy::AtomicConstraint,
    scope::PolicyScope,
};

/// Most credentials that are tried one by one to find the one that satisfies a constraint.
const CREDENTIALS_TRIED_MAX: usize = 32;

/// Most constraints of one evaluation for which that is done.
const ATTRIBUTIONS_MAX: usize = 16;

/// Most work of all tries of one evaluation; what is left of it decides nothing but whether a credential is named.
const ATTRIBUTION_UNITS_MAX: u64 = Session::UNITS_MAX;

/// Where the peer's credentials are in the context.
const CREDENTIALS: &str = "/agent/claims/vc";

/// Evaluates comparisons over one context at one time.
pub(super) struct Atomic<'e> {
    context: &'e Value,
    now: Timestamp,
    /// Made for the first expression, shared by all.
    session: OnceCell<Result<Session, EvaluationError>>,
    attributions: Cell<usize>,
    /// What is left of [`ATTRIBUTION_UNITS_MAX`].
    attribution_units: Cell<u64>,
}

/// What one function says.
struct Finding {
    holds: bool,
    why: String,
    actual: Option<Value>,
    credential: Option<String>,
}

impl<'e> Atomic<'e> {
    pub(super) const fn new(context: &'e Value, now: Timestamp) -> Self {
        Self {
            context,
            now,
            session: OnceCell::new(),
            attributions: Cell::new(0),
            attribution_units: Cell::new(ATTRIBUTION_UNITS_MAX),
        }
    }

    /// All functions must say that the constraint holds; the first that does not gives the reason.
    pub(super) fn evaluate<'d>(
        &self,
        constraint: &AtomicConstraint,
        deciders: impl Iterator<Item = &'d Decider>,
        scope: PolicyScope,
    ) -> AtomicOutcome {
        let mut outcome = AtomicOutcome {
            left_operand: constraint.left_operand.clone(),
            operator: constraint.operator.as_str().to_owned(),
            right_operand: constraint.right_operand.as_value().clone(),
            actual: None,
            outcome: Outcome::Filtered,
            why: format!(
                "leftOperand '{}' is not bound to scope '{scope}'",
                names::left_operand(&constraint.left_operand)
            ),
            credential: None,
        };
        for decider in deciders {
            let finding = self.find(constraint, decider);
            outcome.why = finding.why;
            outcome.actual = finding.actual.or(outcome.actual);
            if !finding.holds {
                outcome.outcome = Outcome::Fails;
                outcome.credential = None;
                break;
            }
            outcome.outcome = Outcome::Holds;
            outcome.credential = finding.credential.or(outcome.credential);
        }
        outcome
    }

    fn find(&self, constraint: &AtomicConstraint, decider: &Decider) -> Finding {
        match decider {
            Decider::InForceDate => {
                let (holds, why) =
                    in_force_date(constraint, self.context, self.now).unwrap_or_else(|error| {
                        (false, format!("'{}' cannot be decided: {error}", constraint.left_operand))
                    });
                Finding { holds, why, actual: Some(Value::from(self.now.to_string())), credential: None }
            }
            Decider::Expression(expression) => self.express(constraint, expression),
        }
    }

    fn express(&self, constraint: &AtomicConstraint, expression: &Expression) -> Finding {
        let this = This::from(constraint);
        let name = &constraint.left_operand;
        let answer = match self.session.get_or_init(|| Session::new(self.context, self.now)) {
            Ok(session) => expression.evaluate(session, &this),
            Err(error) => Err(error.clone()),
        };
        let credentials = expression.looks_at_credentials().then(|| self.credentials());
        let actual = credentials.map(held_types);
        match answer {
            Ok(true) => {
                let credential = credentials.and_then(|held| self.satisfying(held, expression, &this));
                let by = credential.as_ref().map_or_else(String::new, |id| format!(" by credential '{id}'"));
                Finding { holds: true, why: format!("'{name}' is satisfied{by}"), actual, credential }
            }
            Ok(false) => {
                let held = credentials.map_or_else(String::new, held_in_words);
                let why = format!("'{name}' is not satisfied: `{}` is false{held}", expression.text());
                Finding { holds: false, why, actual, credential: None }
            }
            Err(error) => {
                let why = format!("'{name}' cannot be decided by `{}`: {error}", expression.text());
                Finding { holds: false, why, actual, credential: None }
            }
        }
    }

    fn credentials(&self) -> &'e [Value] {
        self.context.pointer(CREDENTIALS).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The id of the first credential with which alone the expression is true, if without any it is false (else
    /// no credential decides).
    fn satisfying(&self, held: &[Value], expression: &Expression, this: &This) -> Option<String> {
        self.attributions.set(self.attributions.get() + 1);
        if self.attributions.get() > ATTRIBUTIONS_MAX || self.true_with(Vec::new(), expression, this)? {
            return None;
        }
        for vc in held.iter().take(CREDENTIALS_TRIED_MAX) {
            if self.true_with(vec![vc.clone()], expression, this)? {
                return vc.get("id").and_then(Value::as_str).map(str::to_owned);
            }
        }
        None
    }

    /// `None` when there is no context to look at, or no work left for it; an expression that fails is not true.
    fn true_with(&self, held: Vec<Value>, expression: &Expression, this: &This) -> Option<bool> {
        let units = self.attribution_units.get();
        if units == 0 {
            return None;
        }
        let mut context = self.context.clone();
        *context.pointer_mut(CREDENTIALS)? = Value::Array(held);
        let session = Session::within(&context, self.now, units).ok()?;
        let verdict = expression.evaluate(&session, this);
        self.attribution_units.set(session.units_left());
        match verdict {
            // The work that was left did not suffice to find out.
            Err(EvaluationError::TooMuchWork { .. }) if session.units_left() == 0 => None,
            verdict => Some(verdict.unwrap_or(false)),
        }
    }
}

/// The types of the credentials, each once, without the one that all have.
fn type_names(held: &[Value]) -> Vec<&str> {
    let lists = held.iter().filter_map(|vc| vc.get("type"));
    let mut types: Vec<&str> = lists
        .flat_map(|list| list.as_array().map_or(std::slice::from_ref(list), Vec::as_slice))
        .filter_map(Value::as_str)
        .filter(|name| *name != "VerifiableCredential")
        .collect();
    types.sort_unstable();
    types.dedup();
    types
}

fn held_types(held: &[Value]) -> Value {
    Value::from(type_names(held))
}

fn held_in_words(held: &[Value]) -> String {
    match type_names(held).as_slice() {
        [] => "; the peer presented no credentials".to_owned(),
        types => format!("; the peer presented {}", types.join(", ")),
    }
}
