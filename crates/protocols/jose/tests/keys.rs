//! Keys: reading, writing, signing, and tokens of other implementations.

use heddle_jose::{Algorithm, Header, JoseError, Jwk, JwkSet, SoftwareKey, Token, Unsigned, sign_compact};
use serde_json::{Value, json};

fn foreign() -> Vec<Value> {
    serde_json::from_str(include_str!("fixtures/foreign-tokens.json")).expect("JSON")
}

#[test]
fn tokens_of_other_implementations_are_verified() {
    let tokens = foreign();
    let names: Vec<&str> = tokens.iter().filter_map(|entry| entry["alg"].as_str()).collect();
    assert!(Algorithm::ALL.iter().all(|alg| names.contains(&alg.name())), "one for each algorithm");
    for entry in &tokens {
        let key = Jwk::from_value(&entry["jwk"]).expect("a good key");
        let token = Token::parse(entry["token"].as_str().expect("text")).expect("a good token");
        assert!(token.verify(&key).is_ok(), "{}", entry["alg"]);
        for other in tokens.iter().filter(|other| other["jwk"] != entry["jwk"]) {
            let other = Jwk::from_value(&other["jwk"]).expect("a good key");
            assert!(token.verify(&other).is_err(), "{}", entry["alg"]);
        }
    }
}

#[test]
fn keys_survive_a_round_trip() {
    for entry in foreign() {
        let key = Jwk::from_value(&entry["jwk"]).expect("a good key");
        assert_eq!(serde_json::to_value(&key).expect("writes"), entry["jwk"]);
    }
    let key = SoftwareKey::generate(Algorithm::EdDsa).expect("entropy").public_jwk(Some("did:web:a#1"));
    let wire = serde_json::to_value(&key).expect("writes");
    assert_eq!(wire["kid"], json!("did:web:a#1"));
    assert_eq!(serde_json::from_value::<Jwk>(wire).expect("reads"), key);
}

#[test]
fn a_private_key_survives_pkcs8_and_shows_nothing() {
    for alg in [Algorithm::Es256, Algorithm::EdDsa] {
        let key = SoftwareKey::generate(alg).expect("entropy");
        let again = SoftwareKey::from_pkcs8(&key.to_pkcs8()).expect("its own encoding");
        assert_eq!(again.public_jwk(None), key.public_jwk(None));
        assert_eq!(again.algorithm(), alg);
        let token = sign_compact(&again, Header::jwt(alg, "k"), &json!({})).expect("signs");
        assert!(Token::parse(&token).expect("good").verify(&key.public_jwk(None)).is_ok());
        assert_eq!(format!("{key:?}"), format!("SoftwareKey {{ algorithm: {alg:?}, .. }}"));
    }
    assert!(SoftwareKey::from_pkcs8(b"no key").is_err());
    assert!(matches!(SoftwareKey::generate(Algorithm::Rs256), Err(JoseError::Algorithm(_))));
}

#[test]
fn a_signer_may_sit_between() {
    let key = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
    let unsigned = Unsigned::new(Header::jwt(Algorithm::Es256, "k").with_typ("at+jwt"), &json!({ "a": 1 }));
    let unsigned = unsigned.expect("an object");
    let signature = key.sign(unsigned.signing_input());
    let token = Token::parse(&unsigned.finish(&signature)).expect("good");
    assert_eq!(token.header().typ.as_deref(), Some("at+jwt"));
    assert!(token.verify(&key.public_jwk(None)).is_ok());
}

#[test]
fn the_header_must_name_the_algorithm_of_the_key() {
    let key = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
    let result = sign_compact(&key, Header::jwt(Algorithm::EdDsa, "k"), &json!({}));
    assert!(matches!(result, Err(JoseError::KeyMismatch { .. })));
    assert_eq!(sign_compact(&key, Header::jwt(Algorithm::Es256, "k"), &[1]), Err(JoseError::Unwritable));
}

#[test]
fn the_thumbprint_is_that_of_the_specification() {
    // RFC 7638 §3.1.
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let rsa = json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
    let rsa = Jwk::from_value(&rsa).expect("a good key");
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    // RFC 8037 appendix A.3.
    let okp = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let okp = Jwk::from_value(&okp).expect("a good key");
    assert_eq!(okp.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn secrets_and_malformed_keys_are_refused() {
    let good =
        serde_json::to_value(SoftwareKey::generate(Algorithm::Es256).expect("entropy").public_jwk(None))
            .expect("writes");
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key[name] = value;
        Jwk::from_value(&key)
    };
    assert!(with("key_ops", json!(["verify"])).is_ok());
    assert!(with("use", json!("sig")).is_ok());
    assert_eq!(with("d", json!("AAAA")).err(), Some(JoseError::KeySecret("d")));
    assert!(with("use", json!("enc")).is_err());
    assert!(with("crv", json!("P-384")).is_err(), "coordinates too short");
    assert!(matches!(with("crv", json!("secp256k1")), Err(JoseError::KeyUnsupported(_))));
    assert!(with("x", json!("AAAA")).is_err());
    assert!(with("x", json!(null)).is_err());
    assert!(with("alg", json!("HS256")).is_err());
    assert_eq!(
        Jwk::from_value(&json!({ "kty": "oct", "k": "c2VjcmV0" })).err(),
        Some(JoseError::KeySecret("k"))
    );
    let short = json!({ "kty": "RSA", "n": "_".repeat(170), "e": "AQAB" });
    assert!(matches!(Jwk::from_value(&short), Err(JoseError::Key(_))), "1024 bits are too few");
}

#[test]
fn a_key_set_skips_what_it_does_not_know() {
    let key = SoftwareKey::generate(Algorithm::Es256).expect("entropy").public_jwk(Some("1"));
    let set = json!({ "keys": [{ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" }, &key] });
    let set: JwkSet = serde_json::from_value(set).expect("reads");
    assert_eq!(set.find(Some("1")), Some(&key));
    assert_eq!(set.find(None), Some(&key));
    assert_eq!(set.find(Some("2")), None);
    let two = JwkSet { keys: vec![key.clone(), key] };
    assert_eq!(two.find(None), None, "nobody says which");
    let leaked = json!({ "keys": [{ "kty": "oct", "k": "AA" }] });
    assert!(serde_json::from_value::<JwkSet>(leaked).is_err());
}
