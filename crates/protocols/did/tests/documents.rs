//! DID documents: reading, writing, and which key may be used for what.

use heddle_did::{Did, DidDocument, DidError, Relationship, Strictness, key};
use heddle_jose::{Algorithm, Jwk, SoftwareKey};
use serde_json::{Value, json};

const DID: &str = "did:web:a.example";

fn did() -> Did {
    Did::parse(DID).expect("a DID")
}

fn jwk() -> Jwk {
    SoftwareKey::generate(Algorithm::Es256).expect("entropy").public_jwk(None)
}

fn method(id: &str) -> Value {
    json!({ "id": id, "type": "JsonWebKey2020", "controller": DID, "publicKeyJwk": jwk() })
}

fn document(members: &Value) -> DidDocument {
    let mut whole = json!({ "@context": ["https://www.w3.org/ns/did/v1"], "id": DID });
    for (name, value) in members.as_object().expect("an object") {
        whole[name] = value.clone();
    }
    DidDocument::parse_for(&did(), whole.to_string().as_bytes()).expect("a document")
}

fn choose<'a>(
    document: &'a DidDocument,
    kid: Option<&str>,
    strictness: Strictness,
) -> Result<&'a str, DidError> {
    document
        .verification_method_for(kid, Relationship::CapabilityInvocation, strictness)
        .map(|method| method.id.as_str())
}

const BOTH: [Strictness; 2] = [Strictness::Strict, Strictness::LenientIfAbsent];

#[test]
fn a_document_of_our_own_has_what_strict_readers_accept() {
    let document = DidDocument::new(did())
        .with_service("cs", "CredentialService", "https://a.example/cs")
        .with_key("key-1", jwk(), &Relationship::ALL);
    let wire = serde_json::to_value(&document).expect("writes");
    let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&wire["service"][0]), ["id", "serviceEndpoint", "type"]);
    assert_eq!(names(&wire["verificationMethod"][0]), ["controller", "id", "publicKeyJwk", "type"]);
    for relationship in Relationship::ALL {
        assert_eq!(wire[relationship.name()], json!(["did:web:a.example#key-1"]));
    }
    assert_eq!(wire["@context"][0], json!("https://www.w3.org/ns/did/v1"));
    let again = DidDocument::parse_for(&did(), wire.to_string().as_bytes()).expect("reads its own");
    assert_eq!(again, document);
    assert_eq!(
        choose(&again, Some("did:web:a.example#key-1"), Strictness::Strict),
        Ok("did:web:a.example#key-1")
    );
}

#[test]
fn a_document_must_be_the_subjects_own() {
    let other = json!({ "id": "did:web:b.example" }).to_string();
    let result = DidDocument::parse_for(&did(), other.as_bytes());
    assert!(matches!(result, Err(DidError::OtherSubject { .. })));
    let large = json!({ "id": DID, "x": "x".repeat(heddle_did::DOCUMENT_BYTES_MAX) }).to_string();
    let many = json!({ "id": DID, "service": vec![1; 129] }).to_string();
    let twice = format!(r#"{{"id":"{DID}","id":"{DID}"}}"#);
    for text in ["", "[]", "{}", r#"{"id":1}"#, &large, &many, &twice] {
        assert!(matches!(DidDocument::parse(text.as_bytes()), Err(DidError::Document(_))));
    }
}

#[test]
fn relationships_are_demanded() {
    let kid = Some("did:web:a.example#1");
    let listed = document(&json!({
        "verificationMethod": [method("did:web:a.example#1")], "capabilityInvocation": ["did:web:a.example#1"],
    }));
    let elsewhere = document(&json!({
        "verificationMethod": [method("did:web:a.example#1")], "assertionMethod": ["did:web:a.example#1"],
    }));
    for strictness in BOTH {
        assert!(choose(&listed, kid, strictness).is_ok());
        assert!(choose(&listed, None, strictness).is_ok());
        assert!(matches!(choose(&elsewhere, kid, strictness), Err(DidError::Relationship { .. })));
        assert!(matches!(choose(&elsewhere, None, strictness), Err(DidError::Relationship { .. })));
    }
}

#[test]
fn silence_about_relationships_is_permission_only_when_lenient() {
    let silent = json!({ "verificationMethod": [method("did:web:a.example#1")] });
    let mut empty = silent.clone();
    empty["authentication"] = json!([]);
    for members in [silent, empty] {
        let document = document(&members);
        for kid in [Some("did:web:a.example#1"), None] {
            assert!(choose(&document, kid, Strictness::LenientIfAbsent).is_ok());
            assert!(matches!(choose(&document, kid, Strictness::Strict), Err(DidError::Relationship { .. })));
        }
    }
}

#[test]
fn without_a_key_id_there_is_exactly_one_method() {
    let none = document(&json!({ "capabilityInvocation": ["did:web:a.example#1"] }));
    let two = document(&json!({
        "verificationMethod": [method("did:web:a.example#1"), method("did:web:a.example#2")],
        "capabilityInvocation": ["did:web:a.example#1"],
    }));
    for strictness in BOTH {
        assert_eq!(choose(&none, None, strictness), Err(DidError::NoMethod(DID.to_owned())));
        assert_eq!(choose(&two, None, strictness), Err(DidError::Ambiguous(DID.to_owned())));
        assert_eq!(choose(&two, Some("did:web:a.example#1"), strictness), Ok("did:web:a.example#1"));
        assert_eq!(
            choose(&two, Some("did:web:a.example#3"), strictness),
            Err(DidError::NoMethod(DID.to_owned()))
        );
    }
}

#[test]
fn the_key_id_is_a_did_url_of_the_subject() {
    // Even when the document lists somebody else's method.
    let foreign = "did:web:attacker.example#1";
    let document = document(&json!({
        "verificationMethod": [method("#1"), method(foreign)], "capabilityInvocation": ["#1", foreign],
    }));
    for strictness in BOTH {
        for kid in [
            foreign,
            "1",
            "",
            DID,
            "did:web:a.example##1",
            "did:web:a.example/p#1",
            "did:web:A.example#1",
            "did:web:aXexample#1",
        ] {
            let refused = Err(DidError::ForeignKey(DID.to_owned()));
            assert_eq!(choose(&document, Some(kid), strictness), refused, "{kid}");
        }
        for kid in ["#1", "did:web:a.example#1"] {
            assert_eq!(choose(&document, Some(kid), strictness), Ok("did:web:a.example#1"));
        }
    }
}

#[test]
fn ids_that_appear_twice_mean_nothing() {
    let document = document(&json!({
        "verificationMethod": [method("#1"), method("did:web:a.example#1")], "capabilityInvocation": ["#1"],
    }));
    for strictness in BOTH {
        assert_eq!(choose(&document, Some("#1"), strictness), Err(DidError::Ambiguous(DID.to_owned())));
    }
}

#[test]
fn the_method_is_controlled_by_the_subject() {
    let controlled_by = |controller: Value| {
        let mut method = method("#1");
        method["controller"] = controller;
        document(&json!({ "verificationMethod": [method], "capabilityInvocation": ["#1"] }))
    };
    for strictness in BOTH {
        let foreign = controlled_by(json!("did:web:b.example"));
        assert!(matches!(choose(&foreign, Some("#1"), strictness), Err(DidError::Controller(_))));
        assert!(choose(&controlled_by(json!(DID)), Some("#1"), strictness).is_ok());
    }
    let nobody = controlled_by(json!(null));
    assert!(choose(&nobody, Some("#1"), Strictness::LenientIfAbsent).is_ok());
    assert!(matches!(choose(&nobody, Some("#1"), Strictness::Strict), Err(DidError::Controller(_))));
}

#[test]
fn an_embedded_method_is_good_for_its_relationship_alone() {
    let document = document(&json!({ "authentication": [method("#1")] }));
    let chosen = |relationship| {
        document.verification_method_for(Some("#1"), relationship, Strictness::LenientIfAbsent)
    };
    assert!(chosen(Relationship::Authentication).is_ok());
    assert!(matches!(chosen(Relationship::CapabilityInvocation), Err(DidError::Relationship { .. })));
}

#[test]
fn deployed_shapes_are_read() {
    // The context is a single text, members are null, a service has several types, one has no plain endpoint.
    let document = document(&json!({
        "@context": "https://www.w3.org/ns/did/v1", "extra": { "a": 1 }, "authentication": null,
        "service": [
            { "id": "x", "type": "Other", "serviceEndpoint": { "origins": [] } }, "nonsense", { "type": "Broken" },
            { "id": "#1", "type": ["Linked", "CredentialService"], "serviceEndpoint": ["https://a.example/1"] },
            { "id": "#2", "type": "CredentialService", "serviceEndpoint": "https://a.example/2" },
        ],
        "verificationMethod": [
            { "id": "#x", "type": "X25519KeyAgreementKey2019", "controller": DID, "publicKeyJwk": { "kty": "OKP", "crv": "X25519", "x": "AA" } },
            { "id": "#m", "type": "Multikey", "controller": DID, "publicKeyMultibase": "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", "publicKeyJwk": null },
        ],
    }));
    let service = document.service_of_type("CredentialService").expect("the first of the type");
    assert_eq!(service.endpoint, "https://a.example/1");
    assert!(document.service_of_type("IssuerService").is_none());
    let jwk = |kid| {
        let method = document.verification_method_for(
            Some(kid),
            Relationship::Authentication,
            Strictness::LenientIfAbsent,
        );
        method.expect("listed").jwk()
    };
    assert!(matches!(jwk("#x"), Err(DidError::Key { .. })), "an unknown key harms nobody else");
    assert!(jwk("#m").is_ok());
}

#[test]
fn a_did_key_is_its_own_document() {
    let known: Vec<Value> = serde_json::from_str(include_str!("fixtures/did-keys.json")).expect("JSON");
    for entry in known {
        let did = Did::parse(entry["did"].as_str().expect("text")).expect("a DID");
        let document = key::document_of(&did).expect("a key");
        for relationship in Relationship::ALL {
            let kid = did.url(did.method_specific_id());
            let method = document.verification_method_for(Some(&kid), relationship, Strictness::Strict);
            let mut wanted = entry["jwk"].clone();
            wanted["kid"] = json!(kid);
            assert_eq!(
                serde_json::to_value(method.expect("listed").jwk().expect("a key")).expect("writes"),
                wanted
            );
        }
    }
}

#[test]
fn what_is_no_did_key_is_refused() {
    // The first has an x that belongs to no point of the curve.
    let long = format!("did:key:z{}", "2".repeat(300));
    for text in [
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2164",
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU216",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do",
        "did:key:z0OIl",
        "did:key:m6MkhaXg",
        "did:key:z",
        "did:web:a",
        &long,
    ] {
        let result = key::document_of(&Did::parse(text).expect("a DID"));
        assert!(result.is_err(), "{text}");
    }
}

/// Each type of a service is a copy of its endpoint: a stranger's document must not grow a thousand times in memory.
#[test]
fn a_service_with_very_many_types_counts_as_few() {
    let types: Vec<String> = (0..10_000).map(|n| format!("t{n}")).collect();
    let service = json!({"id": "#s", "type": types, "serviceEndpoint": "https://a.example/"});
    let document = document(&json!({"service": [service]}));
    assert!(document.service_of_type("t0").is_some());
    assert!(document.service_of_type("t7").is_some());
    assert!(document.service_of_type("t8").is_none());
}
