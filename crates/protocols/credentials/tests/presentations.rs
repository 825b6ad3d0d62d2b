//! Presentations: made, read, and refused.

mod common;

use common::{HOLDER, NOW, at, draft, issue, key, kid, sign};
use heddle_credentials::{CredentialError, ParsedPresentation, PresentationDraft, vp11};
use serde_json::{Value, json};

const VERIFIER: &str = "did:web:verifier.example";

fn claims() -> Value {
    json!({
        "iss": HOLDER, "sub": HOLDER, "aud": VERIFIER, "jti": "1", "iat": NOW, "nbf": NOW, "exp": NOW + 300,
        "vp": { "@context": ["https://www.w3.org/2018/credentials/v1"], "type": "VerifiablePresentation", "verifiableCredential": ["jwt"] },
    })
}

fn read(claims: &Value) -> Result<ParsedPresentation, CredentialError> {
    vp11::parse(&sign(&key(), HOLDER, claims))
}

fn vp_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims["vp"][name] = value;
    claims
}

#[test]
fn a_presentation_is_made_read_and_verified() {
    let (holder, other) = (key(), key());
    let credential = issue(&key(), &draft());
    let draft = PresentationDraft {
        id: "urn:uuid:2".to_owned(),
        holder: HOLDER.to_owned(),
        audience: VERIFIER.to_owned(),
        credentials: vec![credential.clone()],
        issued_at: at(0),
        expires_at: at(60),
    };
    let token = vp11::unsigned(&draft, &kid(HOLDER), holder.algorithm())
        .expect("writes")
        .sign(&holder)
        .expect("signs");
    let parsed = vp11::parse(&token).expect("reads");
    assert_eq!((parsed.holder(), parsed.id()), (HOLDER, Some("urn:uuid:2")));
    assert!(parsed.audience().is_some_and(|audience| audience.is_only(VERIFIER)));
    assert_eq!(parsed.credentials(), std::slice::from_ref(&credential));
    assert_eq!(parsed.kid(), Some(kid(HOLDER).as_str()));
    assert_eq!(parsed.times().expires_at, Some(at(60)));
    assert!(!format!("{parsed:?}").contains(&credential));
    assert!(parsed.clone().verify(&other.public_jwk(None)).is_err());
    assert_eq!(parsed.verify(&holder.public_jwk(None)).expect("verifies").parsed().holder(), HOLDER);
    let wire = heddle_jose::Token::parse(&token).expect("good");
    assert_eq!(wire.claims_unverified()["aud"], json!(VERIFIER), "a single text");
}

#[test]
fn shapes_of_the_conformance_suite_are_read() {
    assert_eq!(read(&claims()).expect("a type that is a text").credentials(), ["jwt"]);
    let array = vp_with("type", json!(["VerifiablePresentation", "Other"]));
    assert!(read(&array).is_ok());
    let mut renamed = vp_with("context", json!(["https://www.w3.org/2018/credentials/v1"]));
    renamed["vp"].as_object_mut().expect("an object").remove("@context");
    assert!(read(&renamed).is_ok());
    assert!(read(&vp_with("verifiableCredential", json!([]))).is_ok_and(|vp| vp.credentials().is_empty()));
    assert!(read(&vp_with("verifiableCredential", json!("jwt"))).is_ok_and(|vp| vp.credentials() == ["jwt"]));
    assert!(read(&vp_with("holder", json!(HOLDER))).is_ok());
}

#[test]
fn what_is_no_presentation_is_refused() {
    let mut nobody = claims();
    nobody.as_object_mut().expect("an object").remove("iss");
    for claims in [
        json!({}),
        nobody,
        vp_with("type", json!("VerifiableCredential")),
        vp_with("type", json!(null)),
        vp_with("holder", json!("did:web:other.example")),
        vp_with("verifiableCredential", json!(vec!["jwt"; vp11::CREDENTIALS_MAX + 1])),
    ] {
        assert!(read(&claims).is_err(), "{claims}");
    }
    for entry in [json!([{ "id": "data:application/vc+jwt,x" }]), json!(["jwt", { "proof": {} }]), json!([1])]
    {
        let result = read(&vp_with("verifiableCredential", entry));
        assert_eq!(result.err(), Some(CredentialError::Heterogeneous));
    }
    let large = vp_with("verifiableCredential", json!(["x".repeat(vp11::PRESENTATION_BYTES_MAX)]));
    assert!(read(&large).is_err());
}
