//! Equality of policies by meaning.

mod common;

use heddle_odrl::{AtomicConstraint, Connective, Constraint, Operator, Policy, PolicyKind, Rule, equivalent};
use proptest::prelude::{prop_assert, proptest};
use serde_json::{Value, json};

fn read(value: Value) -> Policy {
    serde_json::from_value(value).expect("a policy")
}

fn with_operand(value: &Value) -> Policy {
    read(json!({"permission": [{"action": "use", "constraint": [
        {"leftOperand": "a", "operator": "eq", "rightOperand": value}]}]}))
}

/// Turns every list around whose order has no meaning.
fn reversed(constraint: &Constraint) -> Constraint {
    match constraint {
        Constraint::Atomic(_) => constraint.clone(),
        Constraint::Logical(logical) => {
            let mut members: Vec<_> = logical.constraints.iter().map(reversed).collect();
            if logical.connective != Connective::AndSequence {
                members.reverse();
            }
            Constraint::logical(logical.connective, members)
        }
    }
}

fn reversed_rules(rules: &[Rule]) -> Vec<Rule> {
    let turn = |rule: &Rule| Rule {
        constraint: rule.constraint.iter().rev().map(reversed).collect(),
        ..rule.clone()
    };
    rules.iter().rev().map(turn).collect()
}

/// Every comparison of a policy, to change one of them.
fn comparisons(policy: &mut Policy) -> Vec<&mut AtomicConstraint> {
    fn collect<'a>(constraints: &'a mut [Constraint], found: &mut Vec<&'a mut AtomicConstraint>) {
        for constraint in constraints {
            match constraint {
                Constraint::Atomic(atomic) => found.push(atomic),
                Constraint::Logical(logical) => collect(&mut logical.constraints, found),
            }
        }
    }
    let mut found = Vec::new();
    for rule in policy.permission.iter_mut().chain(&mut policy.prohibition).chain(&mut policy.obligation) {
        collect(&mut rule.constraint, &mut found);
    }
    found
}

proptest! {
    #[test]
    fn reflexive_and_insensitive_to_order(policy in common::policy()) {
        prop_assert!(equivalent(&policy, &policy));
        let turned = Policy {
            permission: reversed_rules(&policy.permission),
            prohibition: reversed_rules(&policy.prohibition),
            obligation: reversed_rules(&policy.obligation),
            ..policy.clone()
        };
        prop_assert!(equivalent(&policy, &turned) && equivalent(&turned, &policy));
        let travelled: Policy = serde_json::from_str(&serde_json::to_string(&policy).expect("JSON")).expect("a policy");
        prop_assert!(equivalent(&policy, &travelled));
    }

    #[test]
    fn any_changed_operand_or_operator_shows(policy in common::policy(), pick in 0_usize..1000, what in 0..3) {
        let mut changed = policy.clone();
        let mut found = comparisons(&mut changed);
        if found.is_empty() {
            return Ok(());
        }
        let index = pick % found.len();
        match what {
            0 => found[index].left_operand.push('x'),
            1 => found[index].right_operand = "something else".into(),
            _ => found[index].operator = Operator::IsPartOf,
        }
        prop_assert!(!equivalent(&policy, &changed));
        prop_assert!(!equivalent(&changed, &policy));
    }
}

#[test]
fn spellings_of_one_meaning() {
    let plain = with_operand(&json!("x"));
    assert!(equivalent(&plain, &with_operand(&json!(["x"]))));
    assert!(equivalent(&plain, &with_operand(&json!({"@value": "x"}))));
    assert!(equivalent(&with_operand(&json!(5)), &with_operand(&json!("5"))));
    assert!(equivalent(&with_operand(&json!(["x", "y"])), &with_operand(&json!(["y", "x"]))));
    assert!(!equivalent(
        &with_operand(&json!({"@list": ["x", "y"]})),
        &with_operand(&json!({"@list": ["y", "x"]}))
    ));
    assert!(!equivalent(&plain, &with_operand(&json!({"@id": "x"}))));
    let date = |name: &str| {
        read(json!({"permission": [{"action": "odrl:use", "constraint": [
        {"leftOperand": name, "operator": "odrl:eq", "rightOperand": "x"}]}]}))
    };
    assert!(equivalent(&date("inForceDate"), &date("https://w3id.org/edc/v0.0.1/ns/inForceDate")));
}

#[test]
fn text_cannot_imitate_structure() {
    assert!(!equivalent(&with_operand(&json!(["x\",\"y"])), &with_operand(&json!(["x", "y"]))));
}

#[test]
fn order_counts_in_a_sequence_and_a_rule_keeps_its_place() {
    let constraint = |left: &str| Constraint::atomic(left, Operator::Eq, "x");
    let policy = |connective, members: [&str; 2]| {
        let rule = Rule::new("use").with(Constraint::logical(connective, members.map(constraint).to_vec()));
        Policy { permission: vec![rule], ..Policy::new(PolicyKind::Set) }
    };
    assert!(equivalent(&policy(Connective::And, ["a", "b"]), &policy(Connective::And, ["b", "a"])));
    assert!(!equivalent(
        &policy(Connective::AndSequence, ["a", "b"]),
        &policy(Connective::AndSequence, ["b", "a"])
    ));
    assert!(!equivalent(&policy(Connective::And, ["a", "b"]), &policy(Connective::Or, ["a", "b"])));
    let allowed = Policy { permission: vec![Rule::new("use")], ..Policy::new(PolicyKind::Set) };
    let forbidden = Policy { prohibition: vec![Rule::new("use")], ..Policy::new(PolicyKind::Set) };
    assert!(!equivalent(&allowed, &forbidden));
}

#[test]
fn from_set_to_agreement_and_back() {
    let set = with_operand(&json!("x"));
    let agreement = Policy {
        kind: PolicyKind::Agreement,
        id: Some("agreement".to_owned()),
        target: Some("asset".to_owned()),
        assigner: Some("provider".to_owned()),
        assignee: Some("consumer".to_owned()),
        timestamp: Some("2026-01-31T12:00:00Z".to_owned()),
        ..set.clone()
    };
    assert!(equivalent(&set, &agreement));
    let another = |change: fn(&mut Policy)| {
        let mut other = agreement.clone();
        change(&mut other);
        equivalent(&agreement, &other)
    };
    assert!(another(|policy| policy.timestamp = None));
    assert!(another(|policy| drop(policy.extra.insert("callbackAddress".to_owned(), json!("https://x")))));
    assert!(!another(|policy| policy.target = Some("another".to_owned())));
    assert!(!another(|policy| policy.assigner = Some("another".to_owned())));
    assert!(!another(|policy| policy.assignee = Some("another".to_owned())));
    assert!(!another(|policy| policy.profile = vec!["another".to_owned()]));
    assert!(!another(|policy| drop(policy.extra.insert("conflict".to_owned(), json!("perm")))));
    assert!(!another(|policy| drop(
        policy.permission[0].extra.insert("target".to_owned(), json!("another"))
    )));
}
