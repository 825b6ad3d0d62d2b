//! Tokens that somebody made to be believed, and must not be.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_jose::{
    Algorithm, Header, JoseError, Jwk, Part, SoftwareKey, TOKEN_BYTES_MAX, Token, sign_compact,
};
use serde_json::{Value, json};

fn encode(value: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(value)
}

fn key() -> SoftwareKey {
    SoftwareKey::generate(Algorithm::Es256).expect("entropy")
}

/// A token with an arbitrary header text, signed correctly with ES256.
fn signed(key: &SoftwareKey, header: &str, claims: &str) -> String {
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

fn refusal(token: &str) -> JoseError {
    Token::parse(token).expect_err("the token must be refused")
}

#[test]
fn the_helper_makes_good_tokens() {
    let key = key();
    let token = signed(&key, r#"{"alg":"ES256"}"#, r#"{"iss":"a"}"#);
    let verified = Token::parse(&token).expect("good").verify(&key.public_jwk(None)).expect("good");
    assert_eq!(verified.claims()["iss"], json!("a"));
}

#[test]
fn unsigned_and_mac_tokens_are_refused() {
    for alg in ["none", "None", "NONE", "HS256", "HS384", "HS512", "es256", "ES512", "ES256K", ""] {
        let token = signed(&key(), &json!({ "alg": alg }).to_string(), "{}");
        assert_eq!(refusal(&token), JoseError::Algorithm(alg.to_owned()));
    }
    let bare = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode("{}"));
    assert_eq!(refusal(&bare), JoseError::Algorithm("none".to_owned()));
}

#[test]
fn a_mac_with_the_public_key_as_secret_is_refused() {
    let public = serde_json::to_vec(&key().public_jwk(None)).expect("writes");
    let input = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(r#"{"iss":"victim"}"#));
    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public);
    let token = format!("{input}.{}", encode(ring::hmac::sign(&secret, input.as_bytes())));
    assert_eq!(refusal(&token), JoseError::Algorithm("HS256".to_owned()));
}

#[test]
fn the_algorithm_must_fit_the_key() {
    let (ec, ed) = (key(), SoftwareKey::generate(Algorithm::EdDsa).expect("entropy"));
    for alg in Algorithm::ALL {
        let token = signed(&ec, &json!({ "alg": alg.name() }).to_string(), "{}");
        let token = Token::parse(&token).expect("well-formed");
        assert_eq!(token.verify(&ec.public_jwk(None)).is_ok(), alg == Algorithm::Es256, "{alg}");
        let mismatch = matches!(token.verify(&ed.public_jwk(None)), Err(JoseError::KeyMismatch { .. }));
        assert_eq!(mismatch, alg != Algorithm::EdDsa, "{alg}");
    }
    // A key that is bound to one algorithm is good for no other.
    let token = Token::parse(&signed(&ec, r#"{"alg":"ES256"}"#, "{}")).expect("well-formed");
    let bound = ec.public_jwk(None).with_alg(Algorithm::Es384);
    assert!(matches!(token.verify(&bound), Err(JoseError::KeyMismatch { .. })));
}

#[test]
fn critical_extensions_are_refused() {
    for header in [
        r#"{"alg":"ES256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"ES256","crit":[]}"#,
        r#"{"alg":"ES256","crit":null}"#,
        r#"{"alg":"ES256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"ES256","b64":false}"#,
        r#"{"alg":"ES256","b64":"false"}"#,
    ] {
        assert!(matches!(refusal(&signed(&key(), header, "{}")), JoseError::Critical(_)), "{header}");
    }
}

#[test]
fn keys_inside_the_token_are_ignored() {
    let (victim, attacker) = (key(), key());
    let header = json!({
        "alg": "ES256", "kid": "did:web:victim.example#1", "jwk": attacker.public_jwk(None),
        "jku": "https://attacker.example/jwks", "x5u": "https://attacker.example/x", "x5c": ["AA=="],
    });
    let forged = Token::parse(&signed(&attacker, &header.to_string(), "{}")).expect("well-formed");
    assert_eq!(forged.verify(&victim.public_jwk(None)).err(), Some(JoseError::Signature));
    // Nor do they hurt a token that is good.
    let good = Token::parse(&signed(&victim, &header.to_string(), "{}")).expect("well-formed");
    assert!(good.verify(&victim.public_jwk(None)).is_ok());
}

#[test]
fn only_canonical_base64url_is_read() {
    let token = signed(&key(), r#"{"alg":"ES256"}"#, r#"{"a":1}"#);
    let parts: Vec<&str> = token.split('.').collect();
    let tampered = |index: usize, text: String| {
        let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        parts[index] = text;
        parts.join(".")
    };
    let parsed = Token::parse(&tampered(2, parts[2].to_owned()));
    assert!(parsed.is_ok(), "the helper does no harm");
    for (index, part) in [(0, Part::Header), (1, Part::Payload), (2, Part::Signature)] {
        for text in [
            format!("{}=", parts[index]),
            format!("{} ", parts[index]),
            format!("{}\n", parts[index]),
            format!("+{}", &parts[index][1..]),
            format!("/{}", &parts[index][1..]),
        ] {
            assert_eq!(refusal(&tampered(index, text)), JoseError::Encoding(part));
        }
    }
    // 64 bytes leave four bits unused in the last character; they must be zero.
    let last = parts[2].chars().last().expect("not empty");
    let twin = char::from(u8::try_from(last).expect("ASCII") + 1);
    let loose = format!("{}{twin}", &parts[2][..parts[2].len() - 1]);
    assert_eq!(refusal(&tampered(2, loose)), JoseError::Encoding(Part::Signature));
}

#[test]
fn der_and_zero_signatures_are_refused() {
    let key = key();
    let token = signed(&key, r#"{"alg":"ES256"}"#, "{}");
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    let raw = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let integer = |bytes: &[u8]| {
        let bytes: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        let pad = u8::from(bytes[0] & 0x80 != 0);
        let mut der = vec![2, bytes.len() as u8 + pad];
        der.extend(std::iter::repeat_n(0, usize::from(pad)));
        der.extend(bytes);
        der
    };
    let integers = [integer(&raw[..32]), integer(&raw[32..])].concat();
    let der = [vec![0x30, integers.len() as u8], integers].concat();
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let hostile = [der, vec![0; 64], [order, order].concat(), [&raw[..32], &[0; 32]].concat(), Vec::new()];
    for signature in hostile {
        let token = Token::parse(&format!("{input}.{}", encode(&signature))).expect("well-formed");
        assert_eq!(token.verify(&key.public_jwk(None)).err(), Some(JoseError::Signature));
    }
}

#[test]
fn a_token_has_three_parts() {
    let token = signed(&key(), r#"{"alg":"ES256"}"#, "{}");
    let two = token.rsplit_once('.').expect("three parts").0;
    for text in ["", ".", "a", two, &format!("{token}.{two}"), &format!("{token}."), &format!("{token}.a.b")]
    {
        assert_eq!(refusal(text), JoseError::Parts, "{text}");
    }
    assert_eq!(refusal(".."), JoseError::Json { part: Part::Header, reason: json_reason(b"") });
    let general = json!({ "payload": "e30", "signatures": [] }).to_string();
    assert_eq!(refusal(&general), JoseError::Parts);
}

fn json_reason(bytes: &[u8]) -> String {
    heddle_jose::strict::parse(bytes).expect_err("not JSON")
}

#[test]
fn a_large_token_is_refused_unread() {
    let key = key();
    let claims = |filling: usize| json!({ "a": "x".repeat(filling) }).to_string();
    let large = signed(&key, r#"{"alg":"ES256"}"#, &claims(TOKEN_BYTES_MAX));
    assert_eq!(refusal(&large), JoseError::TooLarge { bytes_max: TOKEN_BYTES_MAX });
    assert!(Token::parse_bounded(&large, large.len()).is_ok());
    assert!(Token::parse_bounded(&large, large.len() - 1).is_err());
}

#[test]
fn a_member_that_appears_twice_is_refused() {
    let token = signed(&key(), r#"{"alg":"ES256","alg":"ES256"}"#, "{}");
    assert!(matches!(refusal(&token), JoseError::Json { part: Part::Header, .. }));
    for claims in
        [r#"{"iss":"a","iss":"b"}"#, r#"{"vc":{"a":[{"id":1,"id":1}]}}"#, r#"{"iss":"a","\u0069ss":"b"}"#]
    {
        let token = signed(&key(), r#"{"alg":"ES256"}"#, claims);
        assert!(matches!(refusal(&token), JoseError::Json { part: Part::Payload, .. }), "{claims}");
    }
}

#[test]
fn headers_and_claims_are_objects_with_members_of_the_right_type() {
    for header in ["[]", "null", "\"ES256\"", "{", "{}", r#"{"alg":1}"#, r#"{"alg":"ES256","kid":1}"#, "{}{}"]
    {
        assert!(Token::parse(&signed(&key(), header, "{}")).is_err(), "{header}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(4000), "]".repeat(4000));
    for claims in ["[]", "null", "1", "", "{\"a\":1}x", &deep] {
        assert!(Token::parse(&signed(&key(), r#"{"alg":"ES256"}"#, claims)).is_err());
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    for alg in [Algorithm::Es256, Algorithm::EdDsa] {
        let key = SoftwareKey::generate(alg).expect("entropy");
        let public = key.public_jwk(None);
        let claims: Value = json!({ "iss": "did:web:a.example", "exp": 1_700_000_000 });
        let token = sign_compact(&key, Header::jwt(alg, "did:web:a.example#1"), &claims).expect("signs");
        assert!(Token::parse(&token).expect("good").verify(&public).is_ok());
        for bit in 0..token.len() * 8 {
            let mut bytes = token.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // What is no UTF-8 any more cannot even be asked about.
            let Ok(tampered) = String::from_utf8(bytes) else { continue };
            let accepted = Token::parse(&tampered).is_ok_and(|token| token.verify(&public).is_ok());
            assert!(!accepted, "{alg}: bit {bit} does not count");
        }
    }
}

#[test]
fn points_of_small_order_are_no_keys() {
    // Under the neutral element as key, the signature (neutral element, 0) fits every message.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(neutral) });
    assert!(matches!(Jwk::from_value(&jwk), Err(JoseError::Key(_))));
    assert!(Jwk::ed25519(neutral).is_err());
    neutral[31] = 0x80;
    assert!(Jwk::ed25519(neutral).is_err(), "with the sign bit set");
}
