//! Offers of issuers.

use heddle_clock::Timestamp;
use heddle_jose::{Algorithm, SoftwareKey};
use heddle_store::{Aggregate, Columns, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    peer::{Peer, hours, unique},
    support::{World, now},
};

pub const OFFERS: &str = "/api/credentials/v1/participants/acme/offers";

pub fn offer(issuer: &Value, credentials: &Value) -> Value {
    json!({
        "@context": ["https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"], "type": "CredentialOfferMessage",
        "issuer": issuer, "credentials": credentials,
    })
}

pub fn object() -> Value {
    json!([{
        "id": unique(), "type": "CredentialObject", "credentialType": "MembershipCredential",
        "offerReason": "reissue", "bindingMethods": ["did:web:"], "profile": "vc11-sl2021/jwt", "issuancePolicy": {},
    }])
}

#[tokio::test]
async fn offers_are_taken_whole_or_sparse() {
    let world = World::start().await;
    let (did, token) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    let name = json!(issuer.did.as_str());
    for credentials in [object(), json!([{"id": unique()}, {"id": unique()}])] {
        let bearer = issuer.token(&did, &json!({}));
        let answer = world.post(OFFERS).bearer(&bearer).json(&offer(&name, &credentials)).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let kept = "/api/identity/v1beta/participants/acme/credentials/offers";
    let offers = world.get(kept).bearer(&token).send().await.json();
    assert_eq!(offers.as_array().expect("an array").len(), 2);
    assert_eq!(offers[0]["issuerDid"], name);
    let one = format!("{kept}/{}", offers[0]["id"].as_str().expect("an id"));
    assert_eq!(world.call(http::Method::DELETE, &one).bearer(&token).send().await.status, 204);
    assert_eq!(world.call(http::Method::DELETE, &one).bearer(&token).send().await.status, 404);
    assert_eq!(world.get(kept).bearer(&token).send().await.json(), json!([offers[1]]));
}

#[tokio::test]
async fn offers_of_nobody_in_particular_are_refused() {
    let world = World::start().await;
    let (did, _) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    let body = offer(&json!(issuer.did.as_str()), &object());
    let at = now();
    let other = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
    let used = issuer.token(&did, &json!({}));
    assert_eq!(world.post(OFFERS).bearer(&used).json(&body).send().await.status, 200);
    for (case, bearer) in [
        ("used before", used),
        ("wrong key", issuer.token_with(&other, &did, &json!({}))),
        ("expired", issuer.token(&did, &json!({"iat": hours(at, -2), "exp": hours(at, -1)}))),
        ("issued in the future", issuer.token(&did, &json!({"iat": hours(at, 1), "exp": hours(at, 2)}))),
        ("not valid yet", issuer.token(&did, &json!({"nbf": hours(at, 1), "exp": hours(at, 2)}))),
        ("other audience", issuer.token(&issuer.did, &json!({}))),
        ("iss is not sub", issuer.token(&did, &json!({"sub": "did:web:example.com"}))),
    ] {
        assert_eq!(world.post(OFFERS).bearer(&bearer).json(&body).send().await.status, 401, "{case}");
    }
    assert_eq!(world.post(OFFERS).json(&body).send().await.status, 401, "no header");
    let bearer = issuer.token(&did, &json!({}));
    assert_eq!(world.post(OFFERS).authorization(&bearer).json(&body).send().await.status, 401, "no 'Bearer'");
    for (case, issuer_member, expected) in
        [("null", Value::Null, 400), ("somebody else", json!("did:web:x.example"), 403)]
    {
        let bearer = issuer.token(&did, &json!({}));
        let body = offer(&issuer_member, &object());
        assert_eq!(world.post(OFFERS).bearer(&bearer).json(&body).send().await.status, expected, "{case}");
    }
}

/// An offer as far as it can be counted.
#[derive(Serialize, Deserialize)]
struct Counted {
    id: String,
    issuer_did: String,
    credentials: Vec<Value>,
    received_at: Timestamp,
}

impl Aggregate for Counted {
    const KIND: &'static str = "credential-offer";

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Columns {
        Columns { counter_party: Some(self.issuer_did.clone()), ..Columns::default() }
    }
}

#[tokio::test]
async fn a_wallet_keeps_so_many_offers_of_one_issuer_and_of_all() {
    let world = World::start().await;
    let (did, _) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    let own = world.participant("acme");
    let fill = async |count: usize, issuer_did: &str| {
        let mut transaction = world.store.begin(&own);
        for _ in 0..count {
            let (id, issuer_did, credentials) = (unique(), issuer_did.to_owned(), Vec::new());
            transaction.insert(&Counted { id, issuer_did, credentials, received_at: now() });
        }
        transaction.commit().await.expect("commits");
    };
    let body = offer(&json!(issuer.did.as_str()), &object());
    let send = async || {
        let bearer = issuer.token(&did, &json!({}));
        world.post(OFFERS).bearer(&bearer).json(&body).send().await.status
    };
    fill(899, "did:web:others.example").await;
    fill(99, issuer.did.as_str()).await;
    assert_eq!((send().await, send().await), (200, 429), "the issuer has offered a hundred");
    let other = Peer::start("other").await;
    let body = offer(&json!(other.did.as_str()), &object());
    let send = async || {
        let bearer = other.token(&did, &json!({}));
        world.post(OFFERS).bearer(&bearer).json(&body).send().await.status
    };
    let count = async |issuer_did: &str| {
        let of_issuer = Query { counter_party: Some(issuer_did.to_owned()), ..Query::default() };
        world.store.begin(&own).count::<Counted>(&of_issuer).await.expect("counts")
    };
    assert_eq!(send().await, 200);
    assert_eq!(count("did:web:others.example").await, 899, "there was room for one");
    assert_eq!(send().await, 200, "nobody keeps others out");
    assert!(count("did:web:others.example").await < 899, "the most eager has made room");
    assert_eq!((count(issuer.did.as_str()).await, count(other.did.as_str()).await), (100, 2));
}
