//! Evaluation by example, and trees of constraints against a naive reference.

mod common;

use std::sync::Arc;

use heddle_clock::Timestamp;
use heddle_odrl::{
    AtomicConstraint, BoundExpression, Connective, Constraint, ConstraintOutcome, Evaluation, Functions,
    Outcome, Policy, PolicyScope, Rule, ScopeSet, Unbound, Verdict, cel::Expression, evaluate,
};
use proptest::prelude::{prop_assert_eq, proptest};
use serde_json::{Value, json};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-06-01T00:00:00Z").expect("a time")
}

fn bound(left_operand: &str, expression: &str, scopes: &[&str]) -> BoundExpression {
    BoundExpression {
        left_operand: left_operand.to_owned(),
        expression: Arc::new(Expression::compile(expression).expect("an expression")),
        scopes: ScopeSet::new(scopes.iter().copied()),
        actions: Vec::new(),
    }
}

fn functions() -> Functions {
    let mut functions = Functions::built_in();
    functions.bind(bound("yes", "true", &["catalog"]));
    functions.bind(bound("no", "false", &["catalog"]));
    functions.bind(bound("elsewhere", "true", &["policy.monitor"]));
    functions
}

fn membership() -> Functions {
    let mut functions = Functions::built_in();
    let text =
        "ctx.agent.claims.vc.valid().withType('MembershipCredential').hasClaim('status', this.rightOperand)";
    functions.bind(bound("Membership", text, &["catalog", "contract.negotiation"]));
    functions
}

fn policy(constraint: &Value) -> Policy {
    serde_json::from_value(
        json!({"@type": "Set", "permission": [{"action": "use", "constraint": [constraint]}]}),
    )
    .expect("a policy")
}

fn membership_policy() -> Policy {
    policy(&json!({"leftOperand": "Membership", "operator": "eq", "rightOperand": "active"}))
}

fn credentials() -> Value {
    json!({"agent": {"id": "did:web:peer", "attributes": {}, "claims": {"vc": [
        {"id": "urn:1", "type": ["VerifiableCredential", "Other"], "issuer": {"id": "did:web:i"},
         "credentialSubject": [{"status": "active"}]},
        {"id": "urn:2", "type": ["VerifiableCredential", "MembershipCredential"], "issuer": {"id": "did:web:i"},
         "credentialSubject": [{"status": "active"}]}
    ]}}})
}

fn atomic(evaluation: &Evaluation) -> &heddle_odrl::AtomicOutcome {
    match &evaluation.tree[0].constraints[0] {
        ConstraintOutcome::Atomic(atomic) => atomic,
        ConstraintOutcome::Logical(_) => panic!("a comparison"),
    }
}

/// What the specification says, in the fewest words: `None` is left out.
fn naive(constraint: &Constraint) -> Option<bool> {
    match constraint {
        Constraint::Atomic(AtomicConstraint { left_operand, .. }) => match left_operand.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        Constraint::Logical(logical) => {
            let members: Vec<bool> = logical.constraints.iter().filter_map(naive).collect();
            let holding = members.iter().filter(|holds| **holds).count();
            let holds = match logical.connective {
                Connective::And | Connective::AndSequence => holding == members.len(),
                Connective::Or => holding > 0,
                Connective::Xone => holding == 1,
            };
            (!members.is_empty()).then_some(holds)
        }
    }
}

fn naive_rule(rule: &Rule) -> Option<bool> {
    (rule.action == "use").then(|| rule.constraint.iter().filter_map(naive).all(|holds| holds))
}

proptest! {
    #[test]
    fn trees_mean_what_the_reference_says(policy in common::policy()) {
        let evaluation = evaluate(&policy, PolicyScope::Catalog, &json!({}), now(), &functions());
        let required = policy.permission.iter().chain(&policy.obligation).all(|rule| naive_rule(rule) != Some(false));
        let forbidden = policy.prohibition.iter().any(|rule| naive_rule(rule) == Some(true));
        prop_assert_eq!(evaluation.is_permitted(), required && !forbidden, "{:#?}", evaluation);
        prop_assert_eq!(evaluation.reasons().is_empty(), evaluation.is_permitted());
        let stored: Evaluation = serde_json::from_value(serde_json::to_value(&evaluation).expect("JSON")).expect("read");
        prop_assert_eq!(stored, evaluation);
    }
}

#[test]
fn a_credential_satisfies_and_is_named() {
    let evaluation =
        evaluate(&membership_policy(), PolicyScope::Catalog, &credentials(), now(), &membership());
    assert_eq!(evaluation.verdict, Verdict::Permit);
    let outcome = atomic(&evaluation);
    assert_eq!(outcome.credential.as_deref(), Some("urn:2"));
    assert_eq!(outcome.actual, Some(json!(["MembershipCredential", "Other"])));
    assert_eq!(outcome.why, "'Membership' is satisfied by credential 'urn:2'");
}

#[test]
fn no_credential_is_named_where_none_decides() {
    let mut functions = Functions::built_in();
    functions.bind(bound("Membership", "!ctx.agent.claims.vc.hasCredential('Revoked')", &[]));
    let evaluation = evaluate(&membership_policy(), PolicyScope::Catalog, &credentials(), now(), &functions);
    assert_eq!((atomic(&evaluation).outcome, atomic(&evaluation).credential.clone()), (Outcome::Holds, None));
}

/// To find out which credential decides costs an evaluation a bounded amount of work, and never its verdict.
#[test]
fn naming_credentials_has_one_budget_for_all_constraints() {
    let list = format!("[{}]", vec!["1"; 60].join(","));
    let heavy = format!("{list}.all(a, {list}.all(b, a == b))");
    let mut functions = Functions::built_in();
    let text = format!("{heavy} && ctx.agent.claims.vc.hasCredential('MembershipCredential')");
    functions.bind(bound("Membership", &text, &[]));
    let mut context = credentials();
    let held = context["agent"]["claims"]["vc"].as_array_mut().expect("a list");
    let others = vec![held[0].clone(); 30];
    held.splice(0..0, others);
    let constraint = json!({"leftOperand": "Membership", "operator": "eq", "rightOperand": "active"});
    let policy =
        json!({"@type": "Set", "permission": [{"action": "use", "constraint": vec![constraint; 10]}]});
    let policy = serde_json::from_value(policy).expect("a policy");
    let evaluation = evaluate(&policy, PolicyScope::Catalog, &context, now(), &functions);
    assert_eq!(evaluation.verdict, Verdict::Permit);
    let named = evaluation.tree[0].constraints.iter().map(|outcome| match outcome {
        ConstraintOutcome::Atomic(atomic) => atomic.credential.is_some(),
        ConstraintOutcome::Logical(_) => panic!("a comparison"),
    });
    let named: Vec<_> = named.collect();
    assert_eq!((named.first(), named.last()), (Some(&true), Some(&false)), "{named:?}");
}

#[test]
fn a_denial_says_what_was_missing() {
    let mut context = credentials();
    context["agent"]["claims"]["vc"][1]["credentialSubject"][0]["status"] = json!("left");
    let evaluation = evaluate(&membership_policy(), PolicyScope::Catalog, &context, now(), &membership());
    assert_eq!(evaluation.verdict, Verdict::Deny);
    let [reason] = &evaluation.reasons()[..] else { panic!("one reason") };
    assert!(reason.starts_with("the permission of 'use' fails: 'Membership' is not satisfied"), "{reason}");
    assert!(reason.ends_with("the peer presented MembershipCredential, Other"), "{reason}");
}

#[test]
fn an_expression_that_fails_denies() {
    let evaluation = evaluate(&membership_policy(), PolicyScope::Catalog, &json!({}), now(), &membership());
    assert_eq!(evaluation.verdict, Verdict::Deny);
    assert!(atomic(&evaluation).why.contains("cannot be decided"), "{}", atomic(&evaluation).why);
}

#[test]
fn what_is_not_bound_to_the_scope_is_left_out() {
    let evaluation =
        evaluate(&membership_policy(), PolicyScope::PolicyMonitor, &json!({}), now(), &membership());
    assert_eq!((evaluation.verdict, atomic(&evaluation).outcome), (Verdict::Permit, Outcome::Filtered));
    assert_eq!(atomic(&evaluation).why, "leftOperand 'Membership' is not bound to scope 'policy.monitor'");

    let mut other = membership_policy();
    other.permission[0].action = "https://example.org/print".to_owned();
    let evaluation = evaluate(&other, PolicyScope::Catalog, &json!({}), now(), &membership());
    assert_eq!((evaluation.verdict, evaluation.tree[0].outcome), (Verdict::Permit, Outcome::Filtered));
    assert!(evaluation.tree[0].why.contains("is not bound to scope 'catalog'"));
}

#[test]
fn a_prohibition_without_remaining_conditions_denies() {
    let mut policy = membership_policy();
    policy.prohibition = std::mem::take(&mut policy.permission);
    let verdict = |scope, context: &Value| evaluate(&policy, scope, context, now(), &membership()).verdict;
    assert_eq!(verdict(PolicyScope::Catalog, &credentials()), Verdict::Deny);
    assert_eq!(verdict(PolicyScope::PolicyMonitor, &json!({})), Verdict::Deny);
    assert_eq!(verdict(PolicyScope::Catalog, &json!({"agent": {"claims": {"vc": []}}})), Verdict::Permit);
}

#[test]
fn a_permission_falls_with_its_duty() {
    let with_duty = |left: &str| {
        let duty = json!({"action": "use", "constraint": {"leftOperand": left, "operator": "eq", "rightOperand": "x"}});
        serde_json::from_value::<Policy>(json!({"permission": {"action": "use", "duty": duty}}))
            .expect("a policy")
    };
    let verdict =
        |left| evaluate(&with_duty(left), PolicyScope::Catalog, &json!({}), now(), &functions()).verdict;
    assert_eq!(verdict("yes"), Verdict::Permit);
    assert_eq!(verdict("no"), Verdict::Deny);
}

#[test]
fn several_expressions_must_all_hold() {
    let mut functions = membership();
    let permitted = |functions: &Functions| {
        evaluate(&membership_policy(), PolicyScope::Catalog, &credentials(), now(), functions).is_permitted()
    };
    functions.bind(bound("Membership", "ctx.agent.id == 'did:web:peer'", &["catalog"]));
    assert!(permitted(&functions));
    functions.bind(bound("Membership", "false", &["transfer.process"]));
    assert!(permitted(&functions), "it is bound to another scope");
    functions.bind(bound("Membership", "ctx.agent.id == 'did:web:other'", &["catalog"]));
    assert!(!permitted(&functions));
}

#[test]
fn in_force_date() {
    let signed = now().as_seconds() - 3_600;
    let context = json!({"agreement": {"contractSigningDate": signed}});
    let holds = |operator: &str, right: &str| {
        let policy =
            policy(&json!({"leftOperand": "inForceDate", "operator": operator, "rightOperand": right}));
        evaluate(&policy, PolicyScope::TransferProcess, &context, now(), &Functions::built_in())
            .is_permitted()
    };
    for (operator, right) in [
        ("gteq", "contractAgreement+0s"),
        ("lteq", "contractagreement+1d"),
        ("eq", "contractAgreement+60m"),
        ("gt", "contractAgreement-2h"),
        ("lt", "2026-06-01T00:00:01Z"),
        ("neq", "2026-06-01T02:00:01+02:00"),
    ] {
        assert!(holds(operator, right), "{operator} {right}");
    }
    for (operator, right) in [
        ("gt", "contractAgreement+1h"),
        ("lteq", "contractAgreement+30m"),
        ("gteq", "2026-06-02T00:00:00Z"),
        ("isA", "contractAgreement+0s"),
        ("gteq", "contractAgreement+-1h"),
        ("gteq", "contractAgreement0s"),
        ("gteq", "contractAgreement+0y"),
        ("gteq", "contractAgreement+99999999999999999999s"),
        ("gteq", "yesterday"),
    ] {
        assert!(!holds(operator, right), "{operator} {right}");
    }
}

#[test]
fn in_force_date_needs_an_agreement_and_its_scope() {
    let policy = policy(
        &json!({"leftOperand": "inForceDate", "operator": "lt", "rightOperand": "contractAgreement+0s"}),
    );
    let evaluated = |scope| evaluate(&policy, scope, &json!({}), now(), &Functions::built_in());
    assert!(evaluated(PolicyScope::Catalog).is_permitted());
    let monitored = evaluated(PolicyScope::PolicyMonitor);
    assert!(!monitored.is_permitted());
    assert!(monitored.reasons()[0].contains("there is none in this evaluation"));
}

#[test]
fn functions_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Functions>();
    shared::<Evaluation>();
}

#[test]
fn unbound_names_are_found_once() {
    let policy: Policy = serde_json::from_value(json!({"permission": [
        {"action": "use", "constraint": [
            {"or": [{"leftOperand": "edc:x", "operator": "eq", "rightOperand": "1"},
                    {"leftOperand": "yes", "operator": "eq", "rightOperand": "1"}]},
            {"leftOperand": "edc:x", "operator": "eq", "rightOperand": "2"}]},
        {"action": "print"}]}))
    .expect("a policy");
    let expected = [
        Unbound::LeftOperand { left_operand: "https://w3id.org/edc/v0.0.1/ns/x".to_owned() },
        Unbound::Action { action: "print".to_owned() },
    ];
    assert_eq!(functions().unbound(&policy), expected);
}
