//! Documents of the Management API in their many spellings.

use heddle_jsonld::{
    Problem,
    management::{CONTEXT, DEPTH_MAX, VALUES_MAX, normalise},
};
use serde_json::{Value, json};

/// Adds the context, which every document must have.
fn with_context(mut document: Value) -> Value {
    document["@context"] = json!([CONTEXT]);
    document
}

fn check(document: Value, expected: Value) {
    let expected = with_context(expected);
    assert_eq!(normalise(with_context(document)).expect("a document"), expected);
    assert_eq!(
        normalise(expected.clone()).expect("a document"),
        expected,
        "normal documents stay as they are"
    );
}

fn refusal(document: Value) -> (String, Problem) {
    let error = normalise(document).expect_err("refused");
    (error.pointer, error.problem)
}

#[test]
fn an_asset() {
    check(
        json!({
            "@id": "asset-1", "@type": ["https://w3id.org/edc/v0.0.1/ns/Asset"],
            "edc:properties": {
                "edc:name": {"@value": "n"},
                "https://w3id.org/edc/v0.0.1/ns/contenttype": "application/json",
                "dct:conformsTo": {"@id": "https://example.org/schema"},
                "https://example.org/owner": {"@id": "https://example.org/me"},
                "tags": ["a", {"@value": "b"}],
                "sub": {"edc:inner": 1},
                "gone": null
            },
            "dataplaneMetadata": {"@type": "DataplaneMetadata", "labels": "gold",
                "properties": {"edc:kept": {"@value": "as it is"}}},
            "dataAddress": {"@type": "edc:DataAddress", "edc:type": "HttpData", "baseUrl": "https://example.org"}
        }),
        json!({
            "@id": "asset-1", "@type": "Asset",
            "properties": {
                "name": "n", "contenttype": "application/json", "conformsTo": "https://example.org/schema",
                "https://example.org/owner": {"@id": "https://example.org/me"},
                "tags": ["a", "b"], "sub": {"inner": 1}
            },
            "dataplaneMetadata": {"@type": "DataplaneMetadata", "labels": ["gold"],
                "properties": {"edc:kept": {"@value": "as it is"}}},
            "dataAddress": {"@type": "DataAddress", "type": "HttpData", "baseUrl": "https://example.org"}
        }),
    );
}

#[test]
fn a_policy_definition() {
    check(
        json!({
            "@type": "PolicyDefinition", "@id": "p",
            "edc:policy": {"@type": "odrl:Set", "odrl:permission": {
                "odrl:action": {"@id": "use"},
                "http://www.w3.org/ns/odrl/2/constraint": {"odrl:and": {"@list": [
                    {"leftOperand": {"@id": "edc:x"}, "operator": ["eq"], "rightOperand": {"@value": "v"}},
                    {"leftOperand": "y", "operator": "isAnyOf", "rightOperand": [{"@id": "a"}, "b"]}
                ]}}
            }}
        }),
        json!({
            "@type": "PolicyDefinition", "@id": "p",
            "policy": {"@type": "Set", "permission": [{
                "action": "use",
                "constraint": [{"and": [
                    {"leftOperand": "edc:x", "operator": "eq", "rightOperand": "v"},
                    {"leftOperand": "y", "operator": "isAnyOf", "rightOperand": [{"@id": "a"}, "b"]}
                ]}]
            }]}
        }),
    );
}

#[test]
fn a_contract_definition() {
    check(
        json!({"@type": "ContractDefinition", "edc:accessPolicyId": {"@id": "a"}, "contractPolicyId": ["b"],
            "assetsSelector": {"@type": "Criterion", "operandLeft": "edc:id", "operator": "in",
                "operandRight": ["x", {"@value": 1}]}}),
        json!({"@type": "ContractDefinition", "accessPolicyId": "a", "contractPolicyId": "b",
            "assetsSelector": [{"@type": "Criterion", "operandLeft": "edc:id", "operator": "in",
                "operandRight": ["x", 1]}]}),
    );
}

#[test]
fn literals_and_sets_of_references() {
    check(
        json!({"@type": "ParticipantContextConfig",
            "edc:entries": {"@type": "@json", "@value": {"edc:a": null, "b": ["c"]}}}),
        json!({"@type": "ParticipantContextConfig", "entries": {"edc:a": null, "b": ["c"]}}),
    );
    check(
        json!({"@type": "DataspaceProfile", "trustedIssuers": {"@id": "did:web:i"}, "unknown": {"edc:unheard": 1}}),
        json!({"@type": "DataspaceProfile", "trustedIssuers": [{"@id": "did:web:i"}], "unknown": {"edc:unheard": 1}}),
    );
    check(
        json!({"@type": "ParticipantContext", "properties": {"edc:a": 1}}),
        json!({"@type": "ParticipantContext", "properties": {"edc:a": 1}}),
    );
}

#[test]
fn the_context_may_stand_among_others_but_must_be_there() {
    let document = |context: Value| json!({"@context": context, "@type": "QuerySpec"});
    for context in [json!(CONTEXT), json!([{"@vocab": "https://w3id.org/edc/v0.0.1/ns/"}, CONTEXT])] {
        assert_eq!(normalise(document(context)).expect("a document"), document(json!([CONTEXT])));
    }
    for context in
        [json!(null), json!([]), json!({"@vocab": "x"}), json!([[CONTEXT]]), json!("https://example.org")]
    {
        assert_eq!(refusal(document(context)), ("/@context".to_owned(), Problem::MissingContext(CONTEXT)));
    }
    assert_eq!(refusal(json!([])), (String::new(), Problem::NotAnObject));
}

#[test]
fn mistakes_are_found_where_they_are() {
    let repeated = with_context(json!({"policy": {"permission": [{"a/b": {"edc:name": 1, "name": 2}}]}}));
    let (pointer, problem) = refusal(repeated);
    assert!(pointer.starts_with("/policy/permission/0/a~1b/"), "{pointer}");
    assert_eq!(problem, Problem::RepeatedTerm("name".to_owned()));
    let types = with_context(json!({"policy": {"@type": ["Set", "Offer"]}}));
    assert_eq!(refusal(types), ("/policy/@type".to_owned(), Problem::NotOneType));
}

#[test]
fn size_and_nesting_are_bounded() {
    let nested = |wrap: fn(Value) -> Value| {
        let mut value = json!(1);
        for _ in 0..DEPTH_MAX {
            value = wrap(value);
        }
        value
    };
    let deep = [
        json!({"unknown": nested(|inner| json!({"x": inner}))}),
        json!({"unknown": nested(|inner| json!([inner]))}),
        json!({"name": nested(|inner| json!([inner]))}),
        json!({"properties": nested(|inner| json!({"x": inner}))}),
        json!({"entries": nested(|inner| json!({"x": inner}))}),
        json!({"@unknown": nested(|inner| json!([inner]))}),
    ];
    for document in deep {
        assert_eq!(refusal(with_context(document)).1, Problem::TooDeep { max: DEPTH_MAX });
    }
    for name in ["unknown", "entries", "labels", "properties", "@unknown"] {
        let wide = with_context(json!({name: vec![1; VALUES_MAX + 1]}));
        assert_eq!(refusal(wide).1, Problem::TooLarge { max: VALUES_MAX }, "{name}");
    }
}
