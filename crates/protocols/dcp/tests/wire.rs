//! What is tolerated on the wire, what is refused, and where the refusal points.

use heddle_dcp::wire::{
    Asked, CredentialMessage, CredentialOfferMessage, CredentialRequestMessage, LIST_ENTRIES_MAX,
    MESSAGE_BYTES_MAX, Malformed, Message, PresentationQueryMessage, PresentationResponseMessage, parse,
};
use serde_json::{Value, json};

const CONTEXT: &str = "https://w3id.org/dspace-dcp/v1.0/dcp.jsonld";

fn read<T: Message>(document: &Value) -> Result<T, Malformed> {
    parse(document.to_string().as_bytes())
}

fn pointer<T: Message + std::fmt::Debug>(document: &Value) -> String {
    read::<T>(document).expect_err("refused").pointer
}

#[test]
fn forms_that_peers_send_are_read_and_written_strictly() {
    let strict = json!({"@context": [CONTEXT], "type": "PresentationQueryMessage", "scope": ["s"]});
    let exchange = "https://identity.foundation/presentation-exchange/submission/v1";
    for tolerated in [
        json!({"@context": CONTEXT, "type": "PresentationQueryMessage", "scope": ["s"]}),
        json!({"@context": [exchange, CONTEXT, {"x": 1}], "@type": "PresentationQueryMessage", "scope": ["s"]}),
        json!({"@context": [CONTEXT], "type": "https://w3id.org/dspace-dcp/v1.0/PresentationQueryMessage",
               "scope": ["s"], "presentationDefinition": null, "more": {"a": [1]}}),
    ] {
        let message: PresentationQueryMessage = read(&tolerated).expect("tolerated");
        assert_eq!(serde_json::to_value(&message).expect("serialises"), strict);
    }
}

#[test]
fn a_refusal_points_to_the_member() {
    let query = |context: Value, kind: &str| json!({"@context": context, "type": kind, "scope": ["s"]});
    let kind = "PresentationQueryMessage";
    for context in [json!("https://example.com"), json!([]), json!([{"x": CONTEXT}]), json!(7), json!(null)] {
        assert_eq!(pointer::<PresentationQueryMessage>(&query(context, kind)), "/@context");
    }
    assert_eq!(pointer::<PresentationQueryMessage>(&query(json!([CONTEXT, 7]), kind)), "/@context/1");
    assert_eq!(pointer::<PresentationQueryMessage>(&query(json!([CONTEXT]), "CredentialMessage")), "/type");
    let absent = json!({"type": kind, "scope": ["s"]});
    let refusal = read::<PresentationQueryMessage>(&absent).expect_err("refused");
    assert_eq!(refusal.expected, "missing field `@context`");
    let odd =
        json!({"@context": [CONTEXT], "type": "PresentationResponseMessage", "presentation": ["a", null]});
    assert_eq!(pointer::<PresentationResponseMessage>(&odd), "/presentation/1");
}

#[test]
fn a_query_asks_for_exactly_one_thing() {
    let with = |more: Value| {
        let mut document = json!({"@context": [CONTEXT], "type": "PresentationQueryMessage"});
        let members = document.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        read::<PresentationQueryMessage>(&document)
    };
    for refused in [
        json!({}),
        json!({"scope": null}),
        json!({"scope": []}),
        json!({"scope": [""]}),
        json!({"presentationDefinition": {}}),
        json!({"presentationDefinition": null}),
        json!({"presentationDefinition": "d"}),
        json!({"scope": ["s"], "presentationDefinition": {"id": "d"}}),
        json!({"scope": [], "presentationDefinition": {"id": "d"}}),
        json!({"scope": vec!["s"; LIST_ENTRIES_MAX + 1]}),
    ] {
        assert!(with(refused.clone()).is_err(), "{refused}");
    }
    let definition = with(json!({"presentationDefinition": {"id": "d"}})).expect("one thing");
    assert!(matches!(definition.asked(), Ok(Asked::Definition(_))));
    let scopes = with(json!({"scope": ["s"]})).expect("one thing");
    assert_eq!(scopes.asked(), Ok(Asked::Scopes(&["s".to_owned()])));
}

#[test]
fn a_request_is_bounded_and_names_each_credential_once() {
    let request = |ids: Vec<String>| {
        let credentials: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        json!({"@context": [CONTEXT], "type": "CredentialRequestMessage", "holderPid": "h",
               "credentials": credentials})
    };
    let many = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
    assert!(read::<CredentialRequestMessage>(&request(many(LIST_ENTRIES_MAX))).is_ok());
    assert_eq!(pointer::<CredentialRequestMessage>(&request(many(LIST_ENTRIES_MAX + 1))), "/credentials");
    assert_eq!(pointer::<CredentialRequestMessage>(&request(Vec::new())), "/credentials");
    let twice = request(vec!["a".into(), "a".into()]);
    assert_eq!(pointer::<CredentialRequestMessage>(&twice), "/credentials/1/id");
}

#[test]
fn a_delivery_says_one_thing() {
    let credential = json!({"credentialType": "T", "payload": "a.b.c", "format": "vc11-sl2021/jwt"});
    let message = |status: &str, credentials: Value| {
        json!({"@context": [CONTEXT], "type": "CredentialMessage", "issuerPid": "i", "holderPid": "h",
               "status": status, "credentials": credentials})
    };
    assert!(read::<CredentialMessage>(&message("ISSUED", json!([credential]))).is_ok());
    assert!(read::<CredentialMessage>(&message("REJECTED", json!(null))).is_ok());
    assert_eq!(pointer::<CredentialMessage>(&message("REJECTED", json!([credential]))), "/credentials");
    assert_eq!(pointer::<CredentialMessage>(&message("ISSUED", json!([]))), "/credentials");
    assert_eq!(pointer::<CredentialMessage>(&message("INVALID_STATUS", json!([credential]))), "/status");
    let object = json!([{"credentialType": "T", "payload": {}, "format": "f"}]);
    assert_eq!(pointer::<CredentialMessage>(&message("ISSUED", object)), "/credentials/0/payload");
}

#[test]
fn an_offer_may_be_sparse() {
    let offer = |issuer: Value| {
        json!({"@context": [CONTEXT], "type": "CredentialOfferMessage", "issuer": issuer,
               "credentials": [{"id": "a"}, {"id": "b", "issuancePolicy": {}}]})
    };
    let message: CredentialOfferMessage = read(&offer(json!("did:web:i"))).expect("legal");
    assert!(message.credentials[0].profile.is_none());
    assert_eq!(pointer::<CredentialOfferMessage>(&offer(json!(null))), "/issuer");
}

#[test]
fn what_is_no_json_or_too_long_is_refused_without_reading_on() {
    for text in ["", "{", "<html>", "null", "[]", "{} {}"] {
        assert!(parse::<PresentationQueryMessage>(text.as_bytes()).is_err(), "{text}");
    }
    let valid =
        json!({"@context": [CONTEXT], "type": "PresentationQueryMessage", "scope": ["s"]}).to_string();
    assert!(parse::<PresentationQueryMessage>(format!("{valid} x").as_bytes()).is_err());
    let long = format!("{valid}{}", " ".repeat(MESSAGE_BYTES_MAX));
    assert!(parse::<PresentationQueryMessage>(long.as_bytes()).is_err());
}

#[test]
fn an_explanation_does_not_grow_with_what_was_sent() {
    let document = json!({"@context": [CONTEXT], "type": "x".repeat(100_000), "scope": ["s"]});
    let refusal = read::<PresentationQueryMessage>(&document).expect_err("refused");
    assert!(refusal.to_string().len() < 1000);
}

#[test]
fn credentials_do_not_reach_debug_output() {
    let response = PresentationResponseMessage::new(vec!["secret.claims.here".into()]);
    assert!(!format!("{response:?}").contains("secret"));
}
