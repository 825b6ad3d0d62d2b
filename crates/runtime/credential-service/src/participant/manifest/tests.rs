//! What a manifest means, and what is refused.

use heddle_jose::Algorithm;
use serde_json::{Value, json};

use super::{InvalidManifest, NewParticipant, ParticipantManifest, Usage};

const URL: &str = "http://127.0.0.1:7979";

fn read(manifest: Value) -> Result<NewParticipant, InvalidManifest> {
    serde_json::from_value::<ParticipantManifest>(manifest).expect("the shape fits").checked(URL)
}

fn key(id: &str, parameters: &Value) -> Value {
    json!({"keyId": id, "privateKeyAlias": "a", "keyGeneratorParams": parameters})
}

fn with_keys(keys: &Value) -> Result<NewParticipant, InvalidManifest> {
    read(json!({"participantContextId": "acme", "did": "did:web:h%3A7083:acme", "keys": keys}))
}

#[test]
fn both_spellings_of_keys_mean_the_same() {
    let one = key("did:web:h%3A7083:acme#k", &json!({"algorithm": "EC", "curve": "secp256r1"}));
    let new = with_keys(&json!([one])).expect("legal");
    let old = read(
        json!({"participantId": "acme", "did": "did:web:h%3A7083:acme", "roles": ["admin"], "key": one}),
    );
    assert_eq!(old.expect("legal"), new);
    assert_eq!((new.keys[0].fragment.as_str(), new.keys[0].algorithm), ("k", Algorithm::Es256));
    assert_eq!(new.keys[0].usage, Usage::ALL);
}

#[test]
fn ids_of_keys_are_fragments_of_this_did() {
    for id in ["k", "#k", "did:web:h%3A7083:acme#k"] {
        let new = with_keys(&json!([key(id, &json!({"algorithm": "EdDSA"}))])).expect("legal");
        assert_eq!((new.keys[0].fragment.as_str(), new.keys[0].algorithm), ("k", Algorithm::EdDsa), "{id}");
    }
    for id in ["did:web:other#k", "a b", "", "#", "did:web:h%3A7083:acme#"] {
        assert_eq!(
            with_keys(&json!([key(id, &json!({}))])).expect_err("refused").pointer,
            "/keys/0/keyId",
            "{id}"
        );
    }
}

#[test]
fn keys_that_cannot_be_made_are_refused() {
    for parameters in [
        json!({"algorithm": "RSA"}),
        json!({"curve": "secp384r1"}),
        json!({"algorithm": "EdDSA", "curve": "x25519"}),
    ] {
        let error = with_keys(&json!([key("k", &parameters)])).expect_err("refused");
        assert_eq!(error.pointer, "/keys/0/keyGeneratorParams");
    }
    let twice = json!([key("k", &json!({})), key("#k", &json!({}))]);
    assert_eq!(with_keys(&twice).expect_err("refused").pointer, "/keys/1/keyId");
    let mut imported = key("k", &json!({}));
    imported["publicKeyJwk"] = json!({"kty": "EC"});
    assert_eq!(with_keys(&json!([imported])).expect_err("refused").pointer, "/keys/0");
}

#[test]
fn what_is_left_out_is_filled_in() {
    let new = read(json!({"participantContextId": "acme", "did": "did:web:h"})).expect("legal");
    assert_eq!(new.keys[0].fragment, "key-1");
    let service = &new.services[0];
    assert_eq!(service.kind, "CredentialService");
    assert_eq!(service.endpoint, "http://127.0.0.1:7979/api/credentials/v1/participants/acme");
    assert!(!new.active);
}

#[test]
fn services_need_a_url_and_an_id_of_their_own() {
    let with = |services: Value| {
        read(json!({"participantContextId": "acme", "did": "did:web:h", "serviceEndpoints": services}))
    };
    let service =
        |id: &str, url: &str| json!({"id": id, "type": "CredentialService", "serviceEndpoint": url});
    assert_eq!(with(json!([service("cs-1", "https://cs")])).expect("legal").services.len(), 1);
    assert!(with(json!([service("cs-1", "ftp://cs")])).is_err());
    assert!(with(json!([service("a", "https://cs"), service("#a", "https://cs")])).is_err());
    let error = read(json!({"participantContextId": "acme", "did": "did:key:z6Mk"})).expect_err("refused");
    assert_eq!(error.pointer, "/did");
}

#[test]
fn a_did_has_one_spelling() {
    let with = |did: &str| read(json!({"participantContextId": "acme", "did": did}));
    assert!(with("did:web:h%3A7083:a:b").is_ok());
    for other in ["did:web:H%3A7083:a:b", "did:web:h%3a7083:a:b"] {
        let error = with(other).expect_err("refused");
        assert_eq!(
            (error.pointer.as_str(), error.message.as_str()),
            ("/did", "the DID must be spelt 'did:web:h%3A7083:a:b'")
        );
    }
    let many: Vec<String> = (0..101).map(|n| format!("did:web:issuer{n}.example")).collect();
    let manifest = json!({"participantContextId": "acme", "did": "did:web:h", "settings": {"acceptUnsolicitedFrom": many}});
    assert_eq!(read(manifest).expect_err("refused").pointer, "/settings");
}
