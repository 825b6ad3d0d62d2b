//! Random policies.

use heddle_odrl::{Connective, Constraint, Operator, Policy, PolicyKind, Rule};
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop, prop_oneof};

/// A constraint over the left operands `yes`, `no` and `elsewhere`.
pub fn constraint() -> BoxedStrategy<Constraint> {
    let operand = prop_oneof![Just("yes"), Just("no"), Just("elsewhere")];
    let operator = prop_oneof![Just(Operator::Eq), Just(Operator::Neq), Just(Operator::IsAnyOf)];
    let leaf = (operand, operator, "[ab]{1,2}")
        .prop_map(|(left, operator, right)| Constraint::atomic(left, operator, right.as_str()));
    let connective = prop_oneof![
        Just(Connective::And),
        Just(Connective::AndSequence),
        Just(Connective::Or),
        Just(Connective::Xone)
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        (connective.clone(), prop::collection::vec(inner, 1..4))
            .prop_map(|(connective, members)| Constraint::logical(connective, members))
    })
    .boxed()
}

/// A rule about `use` or about `elsewhere`, which no scope knows.
pub fn rule() -> BoxedStrategy<Rule> {
    let action = prop_oneof![3 => Just("use"), 1 => Just("elsewhere")];
    (action, prop::collection::vec(constraint(), 0..3))
        .prop_map(|(action, constraint)| Rule { constraint, ..Rule::new(action) })
        .boxed()
}

/// A set of such rules.
pub fn policy() -> BoxedStrategy<Policy> {
    let rules = || prop::collection::vec(rule(), 0..3);
    (rules(), rules(), rules())
        .prop_map(|(permission, prohibition, obligation)| Policy {
            permission,
            prohibition,
            obligation,
            ..Policy::new(PolicyKind::Set)
        })
        .boxed()
}
