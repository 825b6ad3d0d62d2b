//! Credentials: issued, read and checked.

mod common;

use std::time::Duration;

use common::{HOLDER, ISSUER, NOW, at, draft, issue, key, kid, sign};
use heddle_credentials::{
    Check, CredentialError, DataModel, Format, ParsedCredential, Schema, StatusKind, Verdict,
    VerifiableCredential, check_form, check_issuer_binding, check_signature, check_subject, check_validity,
    vc11, vc20,
};
use heddle_jose::{Algorithm, Header, SoftwareKey, Token, sign_compact};
use serde_json::{Value, json};

const NONE: Duration = Duration::ZERO;

fn failed(check: &Check, part: &str) -> bool {
    matches!(&check.verdict, Verdict::Failed(reason) if reason.contains(part))
}

/// The claims of a credential as the conformance suite issues it.
fn suite() -> Value {
    json!({
        "iss": ISSUER, "sub": HOLDER, "jti": "0b4f", "iat": NOW, "nbf": NOW, "exp": NOW + 300,
        "vc": {
            "@context": ["https://www.w3.org/2018/credentials/v1"], "id": "8e2c1e9a-77a5-4d24-a5b1-2f6b3f9b6a6e",
            "type": ["VerifiableCredential", "MembershipCredential"], "issuer": ISSUER,
            "issuanceDate": at(0).to_string().replace(".000Z", ".000123456Z"), "expirationDate": at(600).to_string(),
            "credentialSubject": { "id": HOLDER, "foo": "bar" },
        },
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut claims = suite();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    claims.pointer_mut(parent).expect("there")[name] = value;
    claims
}

fn without(pointer: &str) -> Value {
    let mut claims = suite();
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    claims
        .pointer_mut(parent)
        .expect("there")
        .as_object_mut()
        .expect("an object")
        .remove(name)
        .expect("was there");
    claims
}

fn read(claims: &Value) -> Result<VerifiableCredential, CredentialError> {
    vc11::parse(&sign(&key(), ISSUER, claims)).map(|parsed| parsed.credential().clone())
}

#[test]
fn a_credential_is_issued_read_and_verified() {
    for alg in [Algorithm::Es256, Algorithm::EdDsa] {
        let key = SoftwareKey::generate(alg).expect("entropy");
        let mut draft = draft();
        draft.schema = Some(Schema { id: "https://s.example/1".to_owned(), kind: "JsonSchema".to_owned() });
        let parsed = vc11::parse(&issue(&key, &draft)).expect("reads");
        assert_eq!(parsed.format(), Format::Vc11Sl2021Jwt);
        assert_eq!(parsed.kid(), Some(kid(ISSUER).as_str()));
        let credential = parsed.credential().clone();
        assert_eq!(credential.types, ["VerifiableCredential", "MembershipCredential"]);
        assert_eq!(credential.id.as_ref(), Some(&draft.id));
        assert_eq!(credential.issuer, ISSUER);
        assert_eq!(credential.subjects[0]["level"], json!("gold"));
        assert_eq!((credential.valid_from, credential.valid_until), (Some(at(-10)), Some(at(600))));
        assert_eq!(credential.status[0].index, 7);
        assert_eq!(credential.schemas, [draft.schema.expect("given")]);
        for check in [
            check_signature(&parsed, &key.public_jwk(None)),
            check_form(&parsed),
            check_validity(&credential, at(0), NONE),
            check_subject(&credential, HOLDER),
            check_issuer_binding(&parsed),
        ] {
            assert!(check.passed(), "{check:?}");
        }
        let verified = parsed.verify(&key.public_jwk(None)).expect("verifies");
        assert_eq!(verified.credential(), &credential);
        assert!(!format!("{verified:?}").contains("gold"), "Debug shows nothing of the subject");
    }
}

#[test]
fn the_wire_form_is_what_strict_readers_accept() {
    let token = Token::parse(&issue(&key(), &draft())).expect("good");
    let claims = token.claims_unverified();
    let vc = &claims["vc"];
    assert!(vc["credentialSubject"].is_object() && vc["issuer"].is_string() && vc["type"].is_array());
    assert_eq!(
        vc["credentialStatus"]["statusListIndex"],
        json!("7"),
        "a string, as the specification has it"
    );
    assert_eq!(vc["credentialStatus"]["type"], json!(StatusKind::Bitstring.entry_type()));
    assert_eq!(vc["@context"], json!([DataModel::V1.context()]));
    assert_eq!((&claims["jti"], &claims["sub"]), (&vc["id"], &vc["credentialSubject"]["id"]));
    assert_eq!(claims["nbf"], json!(NOW - 10));
    assert!(vc.get("credentialSchema").is_none());
}

#[test]
fn a_tampered_or_foreign_signature_is_refused() {
    let (issuer, other) = (key(), key());
    let token = issue(&issuer, &draft());
    let parts: Vec<&str> = token.split('.').collect();
    let mut richer = draft();
    richer.claims.insert("level".to_owned(), json!("platinum"));
    let payload = issue(&other, &richer).split('.').nth(1).expect("three parts").to_owned();
    let tampered = vc11::parse(&format!("{}.{payload}.{}", parts[0], parts[2])).expect("well-formed");
    assert!(failed(&check_signature(&tampered, &issuer.public_jwk(None)), "signature"));
    assert!(tampered.verify(&issuer.public_jwk(None)).is_err());
    assert!(vc11::parse(&token).expect("good").verify(&other.public_jwk(None)).is_err());
}

#[test]
fn dates_of_credential_and_token_must_both_hold() {
    let check = |claims: &Value, seconds| check_validity(&read(claims).expect("reads"), at(seconds), NONE);
    assert!(check(&suite(), 0).passed());
    assert!(check(&suite(), 299).passed());
    assert!(failed(&check(&suite(), 300), "expired"), "the token's exp is earlier");
    let expired = with("/vc/expirationDate", json!(at(-100).to_string()));
    assert!(failed(&check(&expired, 1), "expired"), "the credential's date is earlier");
    let early = with("/vc/issuanceDate", json!(at(3600).to_string()));
    assert!(failed(&check(&early, 1), "not valid before"));
    assert!(failed(&check(&with("/nbf", json!(NOW + 60)), 30), "not valid before"));
    assert!(check(&with("/vc/expirationDate", json!(null)), 299).passed());
    let leeway = check_validity(&read(&expired).expect("reads"), at(-50), Duration::from_secs(60));
    assert!(leeway.passed());
    let leeway = check_validity(&read(&expired).expect("reads"), at(-30), Duration::from_secs(60));
    assert!(!leeway.passed(), "the leeway is a limit");
}

#[test]
fn every_subject_is_the_holder() {
    let check = |subject: Value| {
        check_subject(&read(&with("/vc/credentialSubject", subject)).expect("reads"), HOLDER)
    };
    assert!(check(json!({ "id": HOLDER })).passed());
    assert!(check(json!([{ "id": HOLDER }, { "id": HOLDER, "a": 1 }])).passed());
    assert!(check(json!({ "foo": "bar" })).passed(), "the claim 'sub' stands for the id");
    for other in [
        json!({ "id": "did:web:thirdparty.example" }),
        json!([{ "id": HOLDER }, { "id": "did:web:thirdparty.example" }]),
        json!([{ "id": HOLDER }, { "a": 1 }]),
        json!({ "id": "did:web:holder.example#1" }),
        json!({ "id": null }),
    ] {
        assert!(!check(other.clone()).passed(), "{other}");
    }
    for wrong in [json!(null), json!([]), json!("text"), json!({ "id": 1 })] {
        assert!(read(&with("/vc/credentialSubject", wrong.clone())).is_err(), "{wrong}");
    }
}

#[test]
fn the_key_and_the_claim_belong_to_the_issuer() {
    let key = key();
    let bound = |claims: &Value, kid: Option<&str>| {
        let header = Header { alg: Algorithm::Es256, kid: kid.map(str::to_owned), typ: None };
        let parsed = vc11::parse(&sign_compact(&key, header, claims).expect("signs")).expect("reads");
        check_issuer_binding(&parsed)
    };
    let own = kid(ISSUER);
    assert!(bound(&suite(), Some(&own)).passed());
    assert!(bound(&suite(), None).passed(), "the key is then looked up by the issuer's DID");
    assert!(bound(&with("/vc/issuer", json!({ "id": ISSUER, "name": "I" })), Some(&own)).passed());
    assert!(bound(&without("/vc/issuer"), Some(&own)).passed());
    let foreign = kid("did:web:attacker.example");
    assert!(failed(&bound(&suite(), Some(&foreign)), "attacker"));
    assert!(!bound(&suite(), Some("key-1")).passed());
    assert!(!bound(&suite(), Some("did:web:issuer.example")).passed());
    assert!(failed(&bound(&with("/iss", json!("did:web:attacker.example")), Some(&own)), "iss"));
    assert!(!bound(&without("/iss"), Some(&own)).passed());
}

#[test]
fn shapes_of_the_conformance_suite_are_read() {
    let credential = read(&suite()).expect("reads");
    assert_eq!(credential.id.as_deref(), Some("8e2c1e9a-77a5-4d24-a5b1-2f6b3f9b6a6e"), "a bare UUID");
    assert_eq!(
        read(&with("/vc/type", json!("MembershipCredential"))).expect("reads").types,
        ["MembershipCredential"]
    );
    assert!(read(&with("/vc/issuer", json!({ "id": ISSUER }))).is_ok_and(|vc| vc.issuer == ISSUER));
    assert!(read(&without("/vc/issuanceDate")).is_ok(), "nbf says it");
    // An older release: the context and the claim 'sub' are the credential's id, and one type only.
    let mut old = with("/vc/@context", json!("8e2c"));
    old["sub"] = json!("8e2c");
    old["vc"]["type"] = json!(["MembershipCredential"]);
    old["vc"]["expirationDate"] = json!(null);
    let credential = read(&old).expect("reads");
    assert!(check_subject(&credential, HOLDER).passed());
    let parsed = vc11::parse(&sign(&key(), ISSUER, &old)).expect("reads");
    assert!(!check_form(&parsed).passed(), "strict profiles refuse it");
}

#[test]
fn what_cannot_be_understood_is_refused() {
    let status = json!({ "id": "1", "type": "Other", "statusListIndex": 1 });
    for claims in [
        json!({}),
        with("/vc", json!("text")),
        with("/vc/type", json!([])),
        with("/vc/type", json!([1])),
        without("/vc/type"),
        with("/vc/issuer", json!(1)),
        with("/vc/issuer", json!({ "name": "I" })),
        with("/vc/expirationDate", json!("2026-01-01T00:00:00")),
        with("/vc/expirationDate", json!("tomorrow")),
        with("/vc/expirationDate", json!(1)),
        with("/exp", json!("tomorrow")),
        with("/vc/credentialStatus", status),
        with("/vc/credentialStatus", json!("https://x.example")),
        with("/vc/credentialSchema", json!({ "id": "https://x.example" })),
        with("/vc/credentialSubject", json!(vec![json!({ "id": HOLDER }); 65])),
    ] {
        assert!(read(&claims).is_err(), "{claims}");
    }
    let mut timeless = without("/vc/issuanceDate");
    for name in ["nbf", "iat"] {
        timeless.as_object_mut().expect("an object").remove(name);
    }
    assert!(read(&timeless).is_err());
}

#[test]
fn strict_profiles_demand_form() {
    let form = |claims: &Value| check_form(&vc11::parse(&sign(&key(), ISSUER, claims)).expect("reads"));
    let good = with("/jti", json!("8e2c1e9a-77a5-4d24-a5b1-2f6b3f9b6a6e"));
    assert!(form(&good).passed());
    assert!(failed(&form(&suite()), "jti"));
    let change = |pointer: &str, value: Value| {
        let mut claims = good.clone();
        *claims.pointer_mut(pointer).expect("there") = value;
        form(&claims)
    };
    assert!(failed(&change("/sub", json!("did:web:x.example")), "sub"));
    assert!(failed(&change("/vc/type", json!(["MembershipCredential"])), "VerifiableCredential"));
    assert!(failed(&change("/vc/@context", json!(["https://x.example"])), "context"));
}

#[test]
fn a_credential_of_the_second_data_model_is_read() {
    let claims = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"], "id": "urn:uuid:1", "type": ["VerifiableCredential", "M"],
        "issuer": ISSUER, "validFrom": at(-1).to_string(), "validUntil": at(60).to_string(),
        "credentialSubject": [{ "id": HOLDER }], "exp": NOW + 30,
    });
    let key = key();
    let token = sign(&key, ISSUER, &claims);
    let parsed = ParsedCredential::parse(&token).expect("reads");
    assert_eq!((parsed.format(), parsed.data_model()), (Format::Vc20BsslJwt, DataModel::V2));
    assert!(check_issuer_binding(&parsed).passed() && check_form(&parsed).passed());
    assert!(check_validity(parsed.credential(), at(29), NONE).passed());
    assert!(!check_validity(parsed.credential(), at(30), NONE).passed());
    assert!(!check_validity(parsed.credential(), at(-2), NONE).passed());
    assert!(parsed.verify(&key.public_jwk(None)).is_ok());
    assert!(vc20::parse(&sign(&key, ISSUER, &suite())).is_err(), "a 'vc' claim is another format");
    assert!(vc11::parse(&token).is_err());
    assert_eq!(
        ParsedCredential::parse(&sign(&key, ISSUER, &suite())).expect("reads").data_model(),
        DataModel::V1
    );
}

#[test]
fn formats_have_two_names() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.alias()), Ok(format));
        assert_eq!(Format::parse(format.enumeration_name()), Ok(format));
        assert_eq!(serde_json::to_value(format).expect("writes"), json!(format.alias()));
    }
    assert_eq!(serde_json::from_value::<Format>(json!("VC1_0_JWT")).expect("reads"), Format::Vc11Sl2021Jwt);
    for name in ["", "jwt", "VC1_0_LD", "VC11-SL2021/JWT"] {
        assert_eq!(Format::parse(name), Err(CredentialError::Format));
    }
}
