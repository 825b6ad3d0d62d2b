//! Reading and writing policies in the shape of DSP 2025-1.

use heddle_odrl::{Connective, Constraint, InvalidPolicy, Operator, Policy, PolicyKind, Rule};
use serde_json::{Value, json};

fn read(value: Value) -> Policy {
    serde_json::from_value(value).expect("a policy")
}

fn refusal(value: Value) -> String {
    serde_json::from_value::<Policy>(value).expect_err("refused").to_string()
}

fn offer() -> Value {
    json!({
        "@id": "offer-1", "@type": "Offer", "target": "dataset-1", "profile": ["https://example.org/profile"],
        "permission": [{"action": "use", "constraint": [
            {"and": [
                {"leftOperand": "inForceDate", "operator": "gteq", "rightOperand": "contractAgreement+0s"},
                {"xone": [{"leftOperand": "a", "operator": "term-lteq", "rightOperand": ["x", "y"]}]}
            ]}
        ]}],
        "obligation": [{"action": "https://example.org/pay"}],
        "https://example.org/unknown": {"kept": true}
    })
}

#[test]
fn a_policy_comes_out_as_it_went_in() {
    let policy = read(offer());
    assert_eq!(policy.kind, PolicyKind::Offer);
    assert_eq!(policy.left_operands(), ["inForceDate", "a"]);
    assert_eq!(serde_json::to_value(&policy).expect("JSON"), offer());
}

#[test]
fn tolerant_in_strict_out() {
    let policy = read(json!({
        "@context": "https://w3id.org/dspace/2025/1/context.jsonld",
        "@type": "odrl:Offer", "@id": "o", "profile": "p", "prohibition": [], "obligation": null, "assigner": null,
        "permission": {"action": {"@id": "odrl:use"}, "constraint": {
            "leftOperand": {"@id": "edc:x"}, "operator": {"@id": "odrl:eq"}, "rightOperand": 5
        }},
        "callbackAddress": null
    }));
    assert_eq!(
        serde_json::to_value(&policy).expect("JSON"),
        json!({"@type": "Offer", "@id": "o", "profile": ["p"], "permission": [{"action": "use", "constraint": [
            {"leftOperand": "edc:x", "operator": "eq", "rightOperand": "5"}
        ]}]})
    );
}

#[test]
fn without_a_permission_and_without_a_type() {
    let policy = read(json!({"@id": "o", "prohibition": [{"action": "use"}]}));
    assert!(policy.permission.is_empty());
    assert_eq!((policy.kind, policy.validate()), (PolicyKind::Offer, Ok(())));
}

#[test]
fn what_is_no_policy_is_refused_with_a_reason() {
    let with = |constraint: Value| json!({"permission": [{"action": "use", "constraint": [constraint]}]});
    let cases = [
        (json!({"@type": "Ticket"}), "unknown variant `Ticket`"),
        (json!({"permission": [{}]}), "missing field `action`"),
        (with(json!({"leftOperand": "a", "operator": "=", "rightOperand": "x"})), "'=' is not an operator"),
        (with(json!({"leftOperand": "a", "operator": "eq"})), "no 'rightOperand'"),
        (with(json!({"leftOperand": "a", "operator": "eq", "rightOperand": null})), "no 'rightOperand'"),
        (with(json!({"operator": "eq", "rightOperand": "x"})), "no 'leftOperand'"),
        (with(json!({"or": []})), "'or' has no members"),
        (with(json!({"and": [], "or": []})), "exactly one of"),
        (with(json!({"or": [], "leftOperand": "a"})), "exactly one of"),
        (with(json!({})), "no 'leftOperand'"),
    ];
    for (value, expected) in cases {
        let error = refusal(value.clone());
        assert!(error.contains(expected), "{value}: {error}");
    }
}

#[test]
fn size_and_nesting_are_bounded() {
    let mut constraint = Constraint::atomic("a", Operator::Eq, "x");
    for _ in 0..Policy::DEPTH_MAX {
        constraint = Constraint::logical(Connective::And, vec![constraint]);
    }
    let mut deep = Policy::new(PolicyKind::Set);
    deep.permission = vec![Rule::new("use").with(constraint)];
    assert!(matches!(deep.validate(), Err(InvalidPolicy::TooLarge { what: "levels of nesting", .. })));
    assert!(refusal(serde_json::to_value(&deep).expect("JSON")).contains("levels of nesting"));

    let mut wide = Policy::new(PolicyKind::Set);
    wide.permission = vec![Rule::new("use"); Policy::RULES_MAX];
    assert_eq!(wide.validate(), Ok(()));
    wide.permission.push(Rule::new("use"));
    assert!(matches!(wide.validate(), Err(InvalidPolicy::TooLarge { what: "rules", .. })));
}

#[test]
fn a_kind_has_what_it_needs() {
    let full =
        read(json!({"@id": "a", "@type": "Agreement", "target": "t", "assigner": "p", "assignee": "c",
        "timestamp": "2026-01-31T12:00:00Z", "permission": [{"action": "use"}]}));
    assert_eq!(full.validate(), Ok(()));
    let without = |change: fn(&mut Policy)| {
        let mut policy = full.clone();
        change(&mut policy);
        policy.validate()
    };
    let missing = |member| Err(InvalidPolicy::Missing { kind: PolicyKind::Agreement, member });
    assert_eq!(without(|policy| policy.id = None), missing("@id"));
    assert_eq!(without(|policy| policy.target = Some(String::new())), missing("target"));
    assert_eq!(without(|policy| policy.assigner = None), missing("assigner"));
    assert_eq!(without(|policy| policy.assignee = None), missing("assignee"));
    assert_eq!(
        without(|policy| policy.permission.clear()),
        Err(InvalidPolicy::NoRule(PolicyKind::Agreement))
    );
    let targeted = |policy: &mut Policy| {
        policy.permission[0].extra.insert("target".to_owned(), json!("t"));
    };
    assert!(matches!(without(targeted), Err(InvalidPolicy::RuleWithTarget { .. })));
    assert_eq!(Policy::new(PolicyKind::Set).validate(), Ok(()));
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
fn what_is_written_keeps_to_the_schema() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared/spec/dsp/negotiation/contract-schema.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: the schemas of the Dataspace Protocol are not here");
        return;
    };
    let mut schema: Value = serde_json::from_str(&text).expect("a schema");
    schema["allOf"] = json!([{"$ref": "#/definitions/MessageOffer"}]);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut tolerated = offer();
    tolerated["permission"][0]["constraint"][0]["and"][0]["rightOperand"] = json!(7);
    assert!(!validator.is_valid(&tolerated), "the schema forbids numbers");
    tolerated["prohibition"] = json!([]);
    let written = serde_json::to_value(read(tolerated)).expect("JSON");
    assert!(validator.is_valid(&written), "{written}");
}
