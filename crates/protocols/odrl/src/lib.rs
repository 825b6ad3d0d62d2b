//! Usage policies: the model, equality by meaning, evaluation, and its explanation.
//!
//! - [`Policy`] is what offers, agreements and policy definitions carry (DSP 2025-1 §"Contract Offers and
//!   Agreements", ODRL Information Model 2.2). Its serde form is the compact one of the Dataspace Protocol.
//! - [`equivalent`] says whether two policies mean the same; an agreement is checked with it against its offer.
//! - [`evaluate`] decides a policy within one [`PolicyScope`] and returns the whole tree of reasons.
//! - [`Functions`] binds left operands and actions to scopes, and left operands to what decides them:
//!   [`cel::Expression`]s and the built-in `inForceDate`.
//!
//! To add a built-in left operand: a module under `functions/`, an entry in `Functions::built_in`, and a row in
//! `tests/evaluation.rs`.
//!
//! Deliberately absent: where expressions are stored and how the context of an evaluation is collected (both
//! belong to the control plane), the ODRL terms that the Dataspace Protocol does not use (assets, parties and
//! assets collections, remedies, consequences), and time: `now` is an argument.

mod canonical;
pub mod cel;
mod evaluation;
mod functions;
pub mod names;
mod policy;
mod scope;

pub use canonical::equivalent;
pub use evaluation::{
    AtomicOutcome, ConstraintOutcome, Evaluation, LogicalOutcome, Outcome, RuleOutcome, Verdict, evaluate,
};
pub use functions::{BoundExpression, Functions, Unbound};
pub use policy::{
    AtomicConstraint, Connective, Constraint, InvalidPolicy, LogicalConstraint, Operator, Policy, PolicyKind,
    RightOperand, Rule, RuleKind,
};
pub use scope::{PolicyScope, ScopeSet};
