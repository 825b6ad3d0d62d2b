//! Which tokens are accepted, and which are not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::{ISSUER, Idp, NOW, authenticator, clock, scopes};
use async_trait::async_trait;
use heddle_auth::{
    AudienceRule, Authenticator, KeySource, KeysUnavailable, Role, TrustedIssuer, Unauthenticated,
};
use heddle_ids::ParticipantContextId;
use heddle_jose::{Algorithm, Header, Jwk, JwkSet, SoftwareKey};
use serde_json::{Value, json};

async fn refusal(auth: &Authenticator, token: &str) -> Unauthenticated {
    let refusal = auth.authenticate(token).await.expect_err("a bad token");
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!refusal.to_string().contains(part) && !format!("{refusal:?}").contains(part), "{refusal:?}");
    }
    refusal
}

#[tokio::test]
async fn good_tokens_of_both_dialects_name_the_same_principal() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let idp = Idp::new(ISSUER, algorithm);
        let auth = authenticator(&idp);
        let a = json!({"sub": "u1", "role": "participant", "participant_context_id": "acme", "scope": "management-api:read"});
        let b = json!({"sub": "acme", "scope": "management-api:assets:write", "aud": ["x", crate::support::AUDIENCE]});
        for (claims, role) in [(a, Some(Role::Participant)), (b, None)] {
            let principal = auth.authenticate(&idp.token(&claims)).await.expect("a good token");
            assert_eq!(principal.participant().map(ParticipantContextId::as_str), Some("acme"));
            assert_eq!(principal.role(), role);
            assert_eq!(principal.expires_at().as_seconds(), NOW + 300);
            assert_eq!(principal.scopes().iter().count(), 1);
        }
        let access = Header::jwt(algorithm, "k1").with_typ("at+jwt");
        assert!(auth.authenticate(&idp.token_with(access, &json!({}))).await.is_ok());
    }
}

#[tokio::test]
async fn claims_that_do_not_hold_are_refused() {
    let idp = Idp::new(ISSUER, Algorithm::Es256);
    let auth = authenticator(&idp);
    let audience = [json!({"aud": "https://elsewhere"}), json!({"aud": null}), json!({"aud": ["a", "b"]})];
    for claims in audience {
        assert_eq!(refusal(&auth, &idp.token(&claims)).await, Unauthenticated::Audience, "{claims}");
    }
    let issuer = [json!({"iss": "https://evil"}), json!({"iss": null}), json!({"iss": format!("{ISSUER}/")})];
    for claims in issuer {
        assert_eq!(refusal(&auth, &idp.token(&claims)).await, Unauthenticated::Issuer, "{claims}");
    }
    let token = [
        json!({"exp": NOW - 6}),
        json!({"exp": null}),
        json!({"exp": "tomorrow"}),
        json!({"nbf": NOW + 6}),
        json!({"iat": NOW + 6}),
        json!({"iss": 7}),
        json!({"aud": 7}),
        json!({"sub": null}),
        json!({"role": "root"}),
        json!({"participant_context_id": ""}),
    ];
    for claims in token {
        let refusal = refusal(&auth, &idp.token(&claims)).await;
        assert!(matches!(refusal, Unauthenticated::Token(_)), "{claims}: {refusal}");
    }
    for claims in [json!({"exp": NOW - 4}), json!({"nbf": NOW + 4}), json!({"iat": NOW + 4})] {
        assert!(auth.authenticate(&idp.token(&claims)).await.is_ok(), "within the leeway: {claims}");
    }
}

#[tokio::test]
async fn tokens_that_nobody_trusted_signed_are_refused() {
    let idp = Idp::new(ISSUER, Algorithm::Es256);
    let auth = authenticator(&idp);
    let good = idp.token(&json!({}));
    let (input, signature) = good.rsplit_once('.').expect("three parts");
    let (head, payload) = input.split_once('.').expect("three parts");

    let forger = Idp::new(ISSUER, Algorithm::Es256);
    assert!(
        matches!(refusal(&auth, &forger.token(&json!({}))).await, Unauthenticated::Token(_)),
        "same name, other key"
    );
    let header = Header::jwt(Algorithm::Es256, "k2");
    assert_eq!(refusal(&auth, &idp.token_with(header, &json!({}))).await, Unauthenticated::Key);
    let header = Header::jwt(Algorithm::Es256, "k1").with_typ("vp+jwt");
    assert_eq!(refusal(&auth, &idp.token_with(header, &json!({}))).await, Unauthenticated::Type);

    // {"alg":"none"} and {"alg":"HS256"}
    for forged_head in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzI1NiJ9"] {
        for forged in [format!("{forged_head}.{payload}."), format!("{forged_head}.{payload}.{signature}")] {
            assert!(matches!(refusal(&auth, &forged).await, Unauthenticated::Token(_)), "{forged}");
        }
    }
    let other = idp.token(&json!({"sub": "other"}));
    let other_payload = other.split('.').nth(1).expect("three parts");
    for forged in [
        format!("{head}.{other_payload}.{signature}"),
        format!("{input}."),
        "a.b.c".to_owned(),
        String::new(),
    ] {
        assert!(matches!(refusal(&auth, &forged).await, Unauthenticated::Token(_)), "{forged}");
    }
    let long = format!("{input}.{}", "A".repeat(64 * 1024));
    assert!(matches!(auth.authenticate(&long).await, Err(Unauthenticated::Token(_))));
    assert!(auth.authenticate(&good).await.is_ok(), "the token that all of them were made from is good");
}

/// A source whose keys are changed, and whose questions are counted.
#[derive(Default)]
struct Changing(Mutex<(Option<JwkSet>, u32)>);

impl Changing {
    fn set(&self, key: Option<&SoftwareKey>) {
        let keys = key.map(|key| JwkSet { keys: vec![key.public_jwk(Some("k1"))] });
        self.0.lock().expect("unpoisoned").0 = keys;
    }
}

#[async_trait]
impl KeySource for Changing {
    async fn key(&self, kid: Option<&str>) -> Result<Option<Jwk>, KeysUnavailable> {
        let mut state = self.0.lock().expect("unpoisoned");
        state.1 += 1;
        let keys = state.0.as_ref().ok_or(KeysUnavailable { reason: "down".to_owned() })?;
        Ok(keys.find(kid).cloned())
    }
}

#[tokio::test]
async fn a_remembered_verdict_ends_with_the_token_and_with_its_key() {
    let idp = Idp::new(ISSUER, Algorithm::Es256);
    let keys = Arc::new(Changing::default());
    let issuer = TrustedIssuer::external(ISSUER, AudienceRule::Unchecked, keys.clone());
    let (clock, environment) = clock();
    let auth = Authenticator::new(scopes(), vec![issuer], environment);
    let token = idp.token(&json!({"aud": Value::Null}));

    assert!(refusal(&auth, &token).await.is_temporary(), "no keys yet");
    keys.set(Some(&idp.key));
    assert!(auth.authenticate(&token).await.is_ok());
    assert!(auth.authenticate(&token).await.is_ok(), "remembered");

    keys.set(Some(&SoftwareKey::generate(Algorithm::Es256).expect("entropy")));
    assert!(matches!(refusal(&auth, &token).await, Unauthenticated::Token(_)), "the key was replaced");
    keys.set(Some(&idp.key));
    assert!(auth.authenticate(&token).await.is_ok());

    clock.advance(Duration::from_secs(304));
    assert!(auth.authenticate(&token).await.is_ok(), "within the leeway");
    clock.advance(Duration::from_secs(1));
    assert!(matches!(refusal(&auth, &token).await, Unauthenticated::Token(_)), "expired");
}
