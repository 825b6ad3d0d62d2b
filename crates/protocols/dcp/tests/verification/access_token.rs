//! The access token: only what the holder's own key has signed, for this verifier, as an access token.

use std::time::Duration;

use heddle_dcp::{
    Cause, Refusal, Rules, Scope,
    token::{ACCESS_TOKEN_TYP, AccessToken, access_token, access_token::AccessTokenDraft},
};
use heddle_jose::{Algorithm, Header, JwkSet, sign_compact};
use serde_json::{Value, json};

use crate::common::{MEMBERSHIP, Party, changed, failed, now, seconds};

/// The holder's credential service: its keys and its verifier.
struct Service {
    holder: Party,
    verifier: Party,
    keys: JwkSet,
}

impl Service {
    fn new() -> Self {
        let (holder, verifier) = (Party::new("holder"), Party::new("verifier"));
        let keys = JwkSet { keys: vec![holder.key.public_jwk(Some(&holder.kid()))] };
        Self { holder, verifier, keys }
    }

    fn claims(&self) -> Value {
        json!({"iss": self.holder.did, "aud": self.holder.did, "sub": self.verifier.did, "scope": MEMBERSHIP,
               "jti": "access-1", "iat": seconds(0), "exp": seconds(300)})
    }

    fn sign(&self, claims: &Value) -> String {
        sign_compact(&self.holder.key, self.header(), claims).expect("signs")
    }

    fn header(&self) -> Header {
        self.holder.header().with_typ(ACCESS_TOKEN_TYP)
    }

    fn judge(&self, bearer: &Party, text: &str) -> Result<AccessToken, Refusal> {
        let bearer = bearer.proves_itself_to(&self.holder.did, text);
        access_token::verify(&bearer, &self.keys, now(), &Rules::default())
    }

    fn refuses(&self, text: &str, check: &str) {
        let refusal = self.judge(&self.verifier, text).expect_err(check);
        assert_eq!(refusal.check(), check, "{refusal}");
        assert_eq!(refusal.cause(), Cause::AccessToken);
        assert_eq!(failed(refusal.checks()), [check]);
        assert_eq!(refusal.peer_message(), "The access token does not grant this.");
    }
}

#[test]
fn a_draft_that_is_signed_grants_its_scopes() {
    let service = Service::new();
    let scopes = [
        Scope::parse(MEMBERSHIP).expect("a scope"),
        Scope::parse("org.eclipse.dspace.dcp.vc.id:urn:uuid:1").expect("a scope"),
    ];
    let draft = AccessTokenDraft {
        holder: &service.holder.did,
        verifier: service.verifier.did.as_str(),
        scopes: &scopes,
        jti: "access-1",
        now: now(),
        lifetime: Duration::from_secs(300),
    };
    let unsigned = draft.unsigned(&service.holder.kid(), Algorithm::Es256).expect("a draft");
    let text = unsigned.sign(&service.holder.key).expect("signs");
    let granted = service.judge(&service.verifier, &text).expect("granted");
    assert_eq!(granted.scopes(), scopes);
    assert_eq!(granted.verifier(), &service.verifier.did);
    let key = granted.replay_key();
    assert_eq!(
        (&key.audience, &key.issuer, key.jti.as_str()),
        (&service.holder.did, &service.holder.did, "access-1")
    );
    assert_eq!(granted.checks()[0].name, "token-form", "the trace begins with the token that carried it");
}

#[test]
fn it_is_bound_to_its_verifier() {
    let service = Service::new();
    let text = service.sign(&service.claims());
    assert!(service.judge(&service.verifier, &text).is_ok());
    for other in ["thirdparty", "verifier.example.evil"] {
        let refusal = service.judge(&Party::new(other), &text).expect_err(other);
        assert_eq!(refusal.check(), "access-token-bearer");
    }
    for sub in [json!("did:web:verifier"), json!("did:web:verifier.exampl"), json!(7), Value::Null] {
        service.refuses(&service.sign(&changed(&service.claims(), &[("/sub", sub)])), "access-token-bearer");
    }
}

#[test]
fn claims_that_do_not_hold_are_refused() {
    let service = Service::new();
    for (claim, value, check) in [
        ("/iss", json!("did:web:other.example"), "access-token-issuer"),
        ("/iss", Value::Null, "access-token-issuer"),
        ("/aud", json!("did:web:other.example"), "access-token-audience"),
        ("/aud", Value::Null, "access-token-audience"),
        ("/exp", json!(seconds(-10)), "access-token-time"),
        ("/exp", Value::Null, "access-token-time"),
        ("/iat", json!(seconds(60)), "access-token-time"),
        ("/jti", Value::Null, "access-token-id"),
        ("/scope", Value::Null, "access-token-scope"),
        ("/scope", json!(""), "access-token-scope"),
        ("/scope", json!("*"), "access-token-scope"),
        ("/scope", json!(format!("{MEMBERSHIP}  {MEMBERSHIP}")), "access-token-scope"),
        ("/scope", json!([MEMBERSHIP]), "access-token-scope"),
    ] {
        service.refuses(&service.sign(&changed(&service.claims(), &[(claim, value)])), check);
    }
}

#[test]
fn nothing_else_that_the_holder_has_signed_passes() {
    let service = Service::new();
    let (holder, verifier) = (&service.holder, &service.verifier);
    let presentation = holder.sign(&holder.presentation_claims(&verifier.did, &[]));
    let credential = holder.sign(&holder.credential_claims(&verifier.did, "MembershipCredential"));
    let token = holder.sign(&holder.token_claims(&verifier.did));
    let same_claims_other_type = holder.sign(&service.claims());
    for text in [presentation, credential, token, same_claims_other_type] {
        service.refuses(&text, "access-token-purpose");
    }
    let untyped = sign_compact(&holder.key, Header { typ: None, ..holder.header() }, &service.claims());
    service.refuses(&untyped.expect("signs"), "access-token-purpose");
}

#[test]
fn the_bearers_own_token_and_nonsense_do_not_pass() {
    let service = Service::new();
    let own = service.verifier.sign(&service.verifier.token_claims(&service.holder.did));
    service.refuses(&own, "access-token-purpose");
    service.refuses("faketoken", "access-token-form");
    let text = service.sign(&service.claims());
    let (_, rest) = text.split_once('.').expect("parts");
    // {"alg":"none","typ":"dcp-access+jwt"}
    service
        .refuses(&format!("eyJhbGciOiJub25lIiwidHlwIjoiZGNwLWFjY2Vzcytqd3QifQ.{rest}"), "access-token-form");
}

#[test]
fn only_keys_that_may_sign_now_count() {
    let service = Service::new();
    let neighbour = Party::new("neighbour");
    // The neighbour in the same service signs under its own key id, and under the holder's.
    let header = neighbour.header().with_typ(ACCESS_TOKEN_TYP);
    let foreign = sign_compact(&neighbour.key, header, &service.claims()).expect("signs");
    service.refuses(&foreign, "access-token-signature");
    let forged = sign_compact(&neighbour.key, service.header(), &service.claims()).expect("signs");
    service.refuses(&forged, "access-token-signature");
    let nameless = Header { kid: None, ..service.header() };
    let nameless = sign_compact(&service.holder.key, nameless, &service.claims()).expect("signs");
    service.refuses(&nameless, "access-token-signature");

    let text = service.sign(&service.claims());
    let revoked = Service { keys: JwkSet::default(), ..service };
    revoked.refuses(&text, "access-token-signature");
}
