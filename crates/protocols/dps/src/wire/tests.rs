use serde_json::{Value, json};

use super::{
    AgreementResponse, AuthorizationEntry, BODY_BYTES_MAX, ControlPlaneRegistrationMessage, DataAddress,
    DataFlowPrepareMessage, DataFlowResumeMessage, DataFlowStartMessage, DataPlaneRegistrationMessage,
    LABELS_MAX, Malformed, Message, PROPERTIES_MAX, ReceivedStatus, parse,
};
use crate::State;

fn read<M: Message>(body: &Value) -> Result<M, Malformed> {
    parse(body.to_string().as_bytes())
}

fn refused<M: Message + std::fmt::Debug>(body: &Value) -> Malformed {
    read::<M>(body).expect_err("is refused")
}

/// A request without a flow id and without a profile.
fn request(members: &Value) -> Value {
    let mut body = json!({
        "messageId": "m-1", "participantId": "did:web:consumer", "counterPartyId": "did:web:provider",
        "dataspaceContext": "ds", "agreementId": "a-1", "datasetId": "asset-1", "claims": {"level": "gold"},
    });
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    body
}

#[test]
fn either_spelling_is_read_and_both_are_written() {
    for members in [
        json!({"processId": "tp-1", "profile": "http-pull"}),
        json!({"dataFlowId": "tp-1", "profile": "http-pull"}),
        json!({"dataFlowId": "tp-1", "processId": "tp-1", "transferType": "http-pull", "labels": null}),
    ] {
        let message: DataFlowPrepareMessage = read(&request(&members)).expect("is read");
        let expected = request(&json!({"dataFlowId": "tp-1", "processId": "tp-1", "profile": "http-pull"}));
        assert_eq!(serde_json::to_value(&message).expect("serialises"), expected);
    }
}

#[test]
fn spellings_that_contradict_each_other_are_refused() {
    let ids = request(&json!({"dataFlowId": "tp-1", "processId": "tp-2", "profile": "http-pull"}));
    let malformed = refused::<DataFlowStartMessage>(&ids);
    assert_eq!(
        (malformed.pointer.as_str(), malformed.expected.as_str()),
        ("/processId", "the same value as in `dataFlowId`")
    );
    let profiles =
        request(&json!({"dataFlowId": "tp-1", "profile": "http-pull", "transferType": "http-push"}));
    assert_eq!(refused::<DataFlowStartMessage>(&profiles).pointer, "/transferType");
    let two_names =
        request(&json!({"dataFlowId": "x", "profile": "http-pull", "transferType": "HttpData-PULL"}));
    assert!(read::<DataFlowStartMessage>(&two_names).is_ok(), "two names of one profile agree");
}

#[test]
fn a_refusal_names_the_place_and_not_the_value() {
    let typed =
        request(&json!({"dataFlowId": "tp-1", "profile": "http-pull", "labels": ["a", {"s3cr3t": 1}]}));
    let malformed = refused::<DataFlowStartMessage>(&typed);
    assert_eq!((malformed.pointer.as_str(), malformed.expected.as_str()), ("/labels/1", "a string"));
    assert!(!malformed.to_string().contains("s3cr3t"));

    let missing = refused::<DataFlowResumeMessage>(&json!({"dataAddress": {}}));
    assert_eq!(missing.pointer, "/dataAddress/endpointType");
    assert_eq!(refused::<DataFlowResumeMessage>(&json!({})).pointer, "/messageId");
    assert_eq!(
        refused::<DataFlowStartMessage>(&request(&json!({"profile": "http-pull"}))).pointer,
        "/dataFlowId"
    );
    let profile = refused::<DataFlowStartMessage>(&request(&json!({"dataFlowId": "x", "profile": "s3cr3t"})));
    assert_eq!(profile.pointer, "/profile");
    assert!(!profile.to_string().contains("s3cr3t"));
}

#[test]
fn what_is_no_message_is_refused() {
    for body in ["", "{", "[]", "{\"messageId\":\"a\"} x", "\u{0}"] {
        assert!(parse::<DataFlowResumeMessage>(body.as_bytes()).is_err(), "{body}");
    }
    let long = json!({"messageId": "m", "padding": "x".repeat(BODY_BYTES_MAX)});
    assert!(refused::<DataFlowResumeMessage>(&long).expected.contains("bytes"));
    let labels = json!({"dataFlowId": "x", "profile": "http-pull", "labels": vec!["l"; LABELS_MAX + 1]});
    assert_eq!(refused::<DataFlowStartMessage>(&request(&labels)).pointer, "/labels");
    let property = json!({"name": "n", "value": "v"});
    let address = json!({"endpointType": "t", "endpointProperties": vec![property; PROPERTIES_MAX + 1]});
    let resume = json!({"messageId": "m", "dataAddress": address});
    assert_eq!(refused::<DataFlowResumeMessage>(&resume).pointer, "/dataAddress/endpointProperties");
}

#[test]
fn a_data_address_has_types_when_written_and_needs_none_when_read() {
    let address = json!({"endpointType": "https://w3id.org/idsa/v4.1/HTTP", "endpoint": "http://localhost:8083",
        "endpointProperties": [{"name": "authorization", "value": "TOKEN"}]});
    let message: DataFlowResumeMessage =
        read(&json!({"messageId": "m", "dataAddress": address})).expect("is read");
    let address = message.data_address.expect("an address");
    assert_eq!(address.property("authorization"), Some("TOKEN"));
    let written = serde_json::to_value(&address).expect("serialises");
    assert_eq!(written["@type"], "DataAddress");
    assert_eq!(written["endpointProperties"][0]["@type"], "EndpointProperty");
    let empty = serde_json::to_value(DataAddress::new("t", "e")).expect("serialises");
    assert!(empty.get("endpointProperties").is_none(), "the schema demands at least one, or none at all");
}

#[test]
fn debug_shows_no_secret() {
    let address = DataAddress::new("t", "https://e").with("authorization", "s3cr3t");
    assert!(!format!("{address:?}").contains("s3cr3t"));
    assert!(format!("{address:?}").contains("authorization"));
    let entry = AuthorizationEntry::new("oauth2_client_credentials").with("clientSecret", "s3cr3t");
    assert!(!format!("{entry:?}").contains("s3cr3t"));
    assert_eq!(entry.text("clientSecret"), Some("s3cr3t"));
}

#[test]
fn a_status_is_read_from_what_peers_really_send() {
    let only_state: ReceivedStatus = read(&json!({"state": "PREPARED"})).expect("is read");
    assert_eq!(only_state.required_state(), Ok(State::Prepared));
    for nothing in ["", "  ", "{}"] {
        let status = ReceivedStatus::parse_answer(nothing.as_bytes()).expect("is read");
        assert_eq!(status, ReceivedStatus::default());
        assert_eq!(status.required_state().expect_err("has none").pointer, "/state");
    }
    assert_eq!(refused::<ReceivedStatus>(&json!({"state": "PREPARED?"})).pointer, "/state");
}

#[test]
fn a_registration_is_read_in_both_spellings_and_without_authorization() {
    for name in ["profiles", "transferTypes"] {
        let body =
            json!({"dataplaneId": "dp", "endpoint": "https://dp.example", name: ["HttpData-PULL", "odd"]});
        let message: DataPlaneRegistrationMessage = read(&body).expect("is read");
        assert_eq!(message.transfer_profiles().count(), 1, "what cannot be read is kept and not offered");
        let written = serde_json::to_value(&message).expect("serialises");
        assert_eq!(written["profiles"], json!(["HttpData-PULL", "odd"]));
        assert_eq!(written["profiles"], written["transferTypes"]);
    }
    let neither = json!({"dataplaneId": "dp", "endpoint": "https://dp.example"});
    assert_eq!(refused::<DataPlaneRegistrationMessage>(&neither).pointer, "/profiles");
    let endpoint = json!({"controlplaneId": "cp", "endpoint": "file:///etc/passwd"});
    assert_eq!(refused::<ControlPlaneRegistrationMessage>(&endpoint).pointer, "/endpoint");
    let untyped =
        json!({"controlplaneId": "cp", "endpoint": "http://cp", "authorization": {"clientSecret": "s3"}});
    let malformed = refused::<ControlPlaneRegistrationMessage>(&untyped);
    assert_eq!(malformed.pointer, "/authorization");
    assert!(!malformed.to_string().contains("s3"));
}

#[test]
fn an_agreement_response_is_the_agreement_with_a_context() {
    let response = AgreementResponse::new(json!({"@type": "Agreement", "@id": "a-1"}));
    let expected = json!({"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "Agreement", "@id": "a-1"});
    assert_eq!(serde_json::to_value(response).expect("serialises"), expected);
}
