//! What a refusal says, and what is read although the schemas do not allow it.

use heddle_dsp::wire::{self, parse};
use serde_json::{Value, json};

#[test]
fn a_refusal_says_where_and_what() {
    let refusal = |value: Value| {
        parse::<wire::ContractRequestMessage>(value.to_string().as_bytes()).expect_err("a near miss")
    };
    let good = || {
        json!({"@context": [wire::CONTEXT], "@type": "ContractRequestMessage", "consumerPid": "c",
            "callbackAddress": "https://c.example",
            "offer": {"@type": "Offer", "@id": "o", "target": "t", "permission": [{"action": "use"}]}})
    };
    assert!(parse::<wire::ContractRequestMessage>(good().to_string().as_bytes()).is_ok());
    let with = |member: &str, value: Value| {
        let mut other = good();
        other[member] = value;
        refusal(other)
    };
    let without = |member: &str| {
        let mut other = good();
        other.as_object_mut().expect("object").remove(member);
        refusal(other)
    };
    assert_eq!(without("@context").pointer, "/@context");
    assert_eq!(
        without("consumerPid").to_string(),
        "the message cannot be read at '/consumerPid': the member is required but missing"
    );
    assert_eq!(with("consumerPid", json!("")).pointer, "/consumerPid");
    let wrong_type = with("@type", json!("ContractOfferMessage"));
    assert_eq!(wrong_type.pointer, "/@type");
    assert!(wrong_type.expected.contains("expected \"ContractRequestMessage\""), "{wrong_type}");
    assert!(without("callbackAddress").expected.ends_with("both are missing"));
    assert!(with("providerPid", json!("p")).expected.ends_with("both are present"));
    assert_eq!(with("offer", json!({"@type": "Offer", "@id": "o", "target": "t"})).pointer, "/offer");
    let kind = json!({"@type": "Agreement", "@id": "o", "target": "t", "permission": [{"action": "use"}]});
    assert_eq!(with("offer", kind).pointer, "/offer/@type");
    let deep = json!({"@type": "Offer", "@id": "o", "target": "t", "permission": [{"constraint": []}]});
    assert!(with("offer", deep).pointer.starts_with("/offer/permission/0"), "inside the policy");
    assert!(parse::<wire::ContractRequestMessage>(b"{").is_err());
    assert!(parse::<wire::ContractRequestMessage>(format!("{} x", good()).as_bytes()).is_err());
    assert!(wire::parse_up_to::<wire::ContractRequestMessage>(good().to_string().as_bytes(), 10).is_err());
}

#[test]
fn a_format_has_an_end() {
    let read = |length: usize| {
        let request = json!({"@context": [wire::CONTEXT], "@type": "TransferRequestMessage", "consumerPid": "c",
            "agreementId": "a", "format": "x".repeat(length), "callbackAddress": "https://c.example"});
        parse::<wire::TransferRequestMessage>(request.to_string().as_bytes())
    };
    assert!(read(512).is_ok());
    assert_eq!(read(513).expect_err("too long").pointer, "/format");
}

#[test]
fn more_than_the_schema_allows_is_read() {
    let mut request =
        json!({"@context": wire::CONTEXT, "@type": "CatalogRequestMessage", "filter": null, "x": {}});
    let read = parse::<wire::CatalogRequestMessage>(request.to_string().as_bytes()).expect("tolerant");
    assert_eq!(read.filter, Vec::<Value>::new());
    request["filter"] = json!({"@type": "QuerySpec"});
    let read = parse::<wire::CatalogRequestMessage>(request.to_string().as_bytes()).expect("tolerant");
    assert_eq!(read.filter.len(), 1);
}
