//! The self-issued token: what is refused, by which check.

use crate::common::{Party, changed, failed, now, seconds};
use heddle_clock::Timestamp;
use heddle_dcp::{
    Cause, Refusal, Rules,
    token::{SelfIssuedToken, self_issued},
};
use heddle_did::{Did, DidDocument, Relationship, Strictness};
use heddle_jose::{Algorithm, Header, SoftwareKey, sign_compact};
use serde_json::{Value, json};

fn judge(text: &str, document: &DidDocument, audience: &Did) -> Result<SelfIssuedToken, Refusal> {
    self_issued::verify(text, document, audience, now(), &Rules::default())
}

/// Asserts that a token with these changed claims, well signed, is refused by this check.
fn refused(changes: &[(&str, Value)], check: &str) {
    let (holder, verifier) = (Party::new("holder"), Party::new("verifier"));
    let claims = changed(&holder.token_claims(&verifier.did), changes);
    let refusal = judge(&holder.sign(&claims), &holder.document, &verifier.did).expect_err(check);
    assert_eq!(refusal.check(), check, "{changes:?}: {refusal}");
    assert_eq!(refusal.cause(), Cause::SelfIssuedToken);
    assert_eq!(failed(refusal.checks()), [check], "the trace ends with the check that decided");
    assert!(refusal.stale_documents().is_empty(), "no document can change this");
}

fn accepted(changes: &[(&str, Value)]) -> SelfIssuedToken {
    let (holder, verifier) = (Party::new("holder"), Party::new("verifier"));
    let claims = changed(&holder.token_claims(&verifier.did), changes);
    judge(&holder.sign(&claims), &holder.document, &verifier.did).expect("accepted")
}

#[test]
fn a_good_token_tells_who_and_what() {
    let (holder, verifier) = (Party::new("holder"), Party::new("verifier"));
    let token = holder.proves_itself_to(&verifier.did, "opaque");
    assert_eq!((token.participant(), token.audience()), (&holder.did, &verifier.did));
    assert_eq!(token.require_access_token().expect("there"), "opaque");
    let names: Vec<_> = token.checks().iter().map(|check| check.name).collect();
    assert_eq!(names[0], "token-form");
    assert_eq!(names.last(), Some(&"token-signature"));
    assert!(failed(token.checks()).is_empty());
    assert!(!format!("{token:?}").contains("opaque"));
}

#[test]
fn every_required_claim_is_required() {
    for (claim, check) in [
        ("/iss", "token-issuer"),
        ("/sub", "token-issuer"),
        ("/aud", "token-audience"),
        ("/jti", "token-id"),
        ("/exp", "token-time"),
        ("/iat", "token-time"),
    ] {
        refused(&[(claim, Value::Null)], check);
    }
}

#[test]
fn claims_of_the_wrong_kind_are_refused() {
    for jti in [json!(""), json!(7), json!("x".repeat(10_000))] {
        refused(&[("/jti", jti)], "token-id");
    }
    for token in [json!({"a": 1}), json!(["t"]), json!(""), json!(7)] {
        refused(&[("/token", token)], "token-access-token");
    }
    refused(&[("/pre-authorized_code", json!(7))], "token-code");
    for iss in ["https://holder.example", "did:web:", "did:web:a@b", "", "did::x", "DID:web:holder.example"] {
        refused(&[("/iss", json!(iss)), ("/sub", json!(iss))], "token-issuer");
    }
}

#[test]
fn issuer_and_subject_are_compared_byte_by_byte() {
    for sub in [
        "did:web:other.example",
        "did:web:holderXexample",
        "did:web:Holder.example",
        "did:web:holder.example:",
    ] {
        refused(&[("/sub", json!(sub))], "token-issuer");
    }
}

#[test]
fn the_audience_is_this_verifier_alone() {
    for audience in [
        json!(["did:web:verifier.example", "did:web:other.example"]),
        json!("https://verifier.example"),
        json!("did:web:holder.example"),
        json!("did:web:verifier.exampl"),
        json!("did:web:verifier.example2"),
        json!("did:web:Verifier.example"),
        json!("did:web:verifier.example#"),
        json!("did:web:verifier.example:tenant"),
        json!([]),
        json!(7),
    ] {
        refused(&[("/aud", audience)], "token-audience");
    }
    accepted(&[("/aud", json!(["did:web:verifier.example"]))]);
}

#[test]
fn time_is_judged_at_its_edges() {
    let limits = [
        // (claim, last offset that is accepted, first that is refused), with five seconds of leeway
        ("/exp", -4, -5),
        ("/exp", -4, -60),
        ("/iat", 5, 6),
        ("/iat", 5, 60),
        ("/nbf", 5, 6),
    ];
    for (claim, good, bad) in limits {
        // `iat` lies before every `exp` that is tried, unless it is `iat` itself that is tried.
        let iat = if claim == "/iat" { Value::from(seconds(0)) } else { json!(seconds(-100)) };
        accepted(&[("/iat", iat.clone()), (claim, json!(seconds(good)))]);
        refused(&[("/iat", iat), (claim, json!(seconds(bad)))], "token-time");
    }
    // Longer than the longest life; ends before it begins; no times.
    refused(&[("/iat", json!(seconds(-3000))), ("/exp", json!(seconds(3000)))], "token-time");
    refused(&[("/nbf", json!(seconds(3))), ("/exp", json!(seconds(2)))], "token-time");
    refused(&[("/exp", json!(1e300))], "token-time");
    refused(&[("/exp", json!(i64::MAX))], "token-time");
    refused(&[("/iat", json!(-1))], "token-time");
    refused(&[("/iat", json!("2026-03-01T12:00:00Z"))], "token-time");
    accepted(&[("/exp", json!(seconds(300) as f64 + 0.5))]);
}

#[test]
fn another_kind_of_token_is_not_a_self_issued_one() {
    for claim in ["/vp", "/vc", "/scope", "/sub_jwk"] {
        refused(&[(claim, json!({"x": 1}))], "token-purpose");
    }
    let (holder, verifier) = (Party::new("holder"), Party::new("verifier"));
    let claims = holder.token_claims(&verifier.did);
    let header = holder.header().with_typ("dcp-access+jwt");
    let text = sign_compact(&holder.key, header, &claims).expect("signs");
    assert_eq!(judge(&text, &holder.document, &verifier.did).expect_err("refused").check(), "token-purpose");
    let header = Header { typ: None, ..holder.header() };
    let text = sign_compact(&holder.key, header, &claims).expect("signs");
    assert!(judge(&text, &holder.document, &verifier.did).is_ok(), "the type may be absent");
}

#[test]
fn a_document_of_somebody_else_is_refused() {
    let (holder, other, verifier) = (Party::new("holder"), Party::new("other"), Party::new("verifier"));
    let text = holder.sign(&holder.token_claims(&verifier.did));
    assert_eq!(judge(&text, &other.document, &verifier.did).expect_err("refused").check(), "token-document");
}

#[test]
fn the_key_must_be_the_signers_own() {
    let (holder, attacker, verifier) = (Party::new("holder"), Party::new("attacker"), Party::new("verifier"));
    let claims = holder.token_claims(&verifier.did);
    let with_kid = |kid: Option<&str>, key: &SoftwareKey| {
        let header = Header { kid: kid.map(str::to_owned), ..holder.header() };
        let text = sign_compact(key, header, &claims).expect("signs");
        judge(&text, &holder.document, &verifier.did)
    };
    let own = holder.kid();
    assert!(with_kid(Some(&own), &holder.key).is_ok());
    assert!(with_kid(None, &holder.key).is_ok(), "the only key needs no name");
    assert!(with_kid(Some("#key-1"), &holder.key).is_ok(), "relative to the signer");
    let path = format!("{}/path#key-1", holder.did);
    let query = format!("{}?q=1#key-1", holder.did);
    let deep = format!("{}:x#key-1", holder.did);
    for (kid, check) in [
        (attacker.kid().as_str(), "token-kid"),
        ("key-1", "token-kid"),
        (&path, "token-kid"),
        (&query, "token-kid"),
        (&deep, "token-kid"),
        (holder.did.as_str(), "token-kid"),
    ] {
        assert_eq!(with_kid(Some(kid), &attacker.key).expect_err(kid).check(), check, "{kid}");
    }
    let unknown = holder.did.url("key-2");
    let refusal = with_kid(Some(&unknown), &holder.key).expect_err("unknown");
    assert_eq!(refusal.check(), "token-key");
    assert!(refusal.stale_documents().contains(&holder.did), "a fresh document may know the key");
    let refusal = with_kid(Some(&own), &attacker.key).expect_err("forged");
    assert_eq!(refusal.check(), "token-signature");
    assert!(refusal.stale_documents().contains(&holder.did), "a fresh document may have the new key");
}

#[test]
fn without_a_key_id_the_key_must_be_the_only_one() {
    let (holder, verifier) = (Party::new("holder"), Party::new("verifier"));
    let header = Header { kid: None, ..holder.header() };
    let text = sign_compact(&holder.key, header, &holder.token_claims(&verifier.did)).expect("signs");
    let more = SoftwareKey::generate(Algorithm::Es256).expect("a key").public_jwk(None);
    let two = holder.document.clone().with_key("key-2", more.clone(), &Relationship::ALL);
    let none = DidDocument::new(holder.did.clone());
    let twice = holder.document.clone().with_key("key-1", more, &Relationship::ALL);
    for document in [two, none] {
        assert_eq!(judge(&text, &document, &verifier.did).expect_err("refused").check(), "token-key");
    }
    let named = holder.sign(&holder.token_claims(&verifier.did));
    assert_eq!(judge(&named, &twice, &verifier.did).expect_err("refused").check(), "token-key");
}

#[test]
fn the_relationship_is_a_setting() {
    let verifier = Party::new("verifier");
    let strict = Rules { relationships: Strictness::Strict, ..Rules::default() };
    let lenient = Rules { relationships: Strictness::LenientIfAbsent, ..Rules::default() };
    let others = [Relationship::Authentication, Relationship::AssertionMethod];
    for (relationships, rules, holds) in [
        (&Relationship::ALL[..], &strict, true),
        (&others, &strict, false),
        (&others, &lenient, false),
        (&[], &strict, false),
        (&[], &lenient, true),
    ] {
        let holder = Party::with_relationships("holder", relationships);
        let text = holder.sign(&holder.token_claims(&verifier.did));
        let judged = self_issued::verify(&text, &holder.document, &verifier.did, now(), rules);
        assert_eq!(judged.is_ok(), holds, "{relationships:?} {rules:?}");
    }
}

#[test]
fn a_rotated_key_holds_until_it_leaves_the_document() {
    let (holder, verifier) = (Party::new("holder"), Party::new("verifier"));
    let text = holder.sign(&holder.token_claims(&verifier.did));
    let new = SoftwareKey::generate(Algorithm::Es256).expect("a key").public_jwk(None);
    let rotated = holder.document.clone().with_key("key-2", new.clone(), &Relationship::ALL);
    assert!(judge(&text, &rotated, &verifier.did).is_ok());
    let revoked = DidDocument::new(holder.did).with_key("key-2", new, &Relationship::ALL);
    assert!(judge(&text, &revoked, &verifier.did).is_err());
}

#[test]
fn forms_that_confuse_are_refused() {
    let (holder, verifier) = (Party::new("holder"), Party::new("verifier"));
    let text = holder.sign(&holder.token_claims(&verifier.did));
    let (input, signature) = text.rsplit_once('.').expect("three parts");
    let (_, payload) = input.split_once('.').expect("two parts");
    let none = "eyJhbGciOiJub25lIn0"; // {"alg":"none"}
    let hs256 = "eyJhbGciOiJIUzI1NiJ9"; // {"alg":"HS256"}
    let forms = [
        String::new(),
        "faketoken".to_owned(),
        input.to_owned(),
        format!("{text}."),
        format!("{text}.a.b"),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{hs256}.{payload}.{signature}"),
        format!("{text}="),
        format!(" {text}"),
        "x".repeat(100_000),
    ];
    for form in forms {
        let refusal = judge(&form, &holder.document, &verifier.did).expect_err("refused");
        assert_eq!(refusal.check(), "token-form", "{form}");
    }
    let zeros = format!("{input}.{}", "A".repeat(86));
    assert_eq!(
        judge(&zeros, &holder.document, &verifier.did).expect_err("psychic").check(),
        "token-signature"
    );
    let header = Header { alg: Algorithm::EdDsa, ..holder.header() };
    let other = SoftwareKey::generate(Algorithm::EdDsa).expect("a key");
    let text = sign_compact(&other, header, &holder.token_claims(&verifier.did)).expect("signs");
    assert_eq!(
        judge(&text, &holder.document, &verifier.did).expect_err("mismatch").check(),
        "token-signature"
    );
}

#[test]
fn the_replay_key_is_audience_issuer_and_id() {
    let key = accepted(&[]).replay_key();
    assert_eq!(
        (key.issuer.as_str(), key.audience.as_str()),
        ("did:web:holder.example", "did:web:verifier.example")
    );
    assert_eq!(key.jti, "token-1");
    assert!(key.until >= Timestamp::from_seconds(seconds(300)), "as long as the token is accepted");
    let (other, verifier) = (Party::new("other"), Party::new("verifier"));
    assert_ne!(other.proves_itself_to(&verifier.did, "t").replay_key(), key, "the same id of another issuer");
}

#[test]
fn a_token_without_access_token_cannot_be_used_to_ask() {
    let token = accepted(&[("/token", Value::Null)]);
    let refusal = token.require_access_token().expect_err("missing");
    assert_eq!((refusal.check(), refusal.cause()), ("token-access-token", Cause::SelfIssuedToken));
}

#[test]
fn the_peer_learns_nothing_of_the_detail() {
    let (holder, verifier) = (Party::new("holder"), Party::new("verifier"));
    let claims = changed(&holder.token_claims(&verifier.did), &[("/exp", json!(seconds(-1000)))]);
    let refusal = judge(&holder.sign(&claims), &holder.document, &verifier.did).expect_err("expired");
    assert!(refusal.to_string().contains("expired"), "{refusal}");
    assert_eq!(refusal.peer_message(), "The self-issued token is not valid.");
}
