//! A request for credentials, its delivery, and what the holder and a verifier then see.

use std::collections::BTreeSet;

use heddle_credentials::{ParsedCredential, check_subject, vp11};
use heddle_dcp::{Rules, token::self_issued};
use heddle_did::{Did, DidDocument, Relationship, Strictness};
use http::Method;
use serde_json::{Value, json};

use crate::{
    peer::{Peer, delivery, unique},
    support::{Answer, World, now},
};

pub const REQUESTS: &str = "/api/identity/v1beta/participants/acme/credentials/request";
pub const CREDENTIALS: &str = "/api/identity/v1beta/participants/acme/credentials";
pub const STORAGE: &str = "/api/credentials/v1/participants/acme/credentials";

pub fn wanted(issuer: &Peer, pid: &str) -> Value {
    json!({
        "issuerDid": issuer.did.as_str(),
        "holderPid": pid,
        "credentials": [{"format": "VC1_0_JWT", "type": "MembershipCredential", "id": "membership-def"}],
    })
}

pub async fn status(world: &World, token: &str, pid: &str) -> Value {
    world.get(&format!("{REQUESTS}/{pid}")).bearer(token).send().await.json()
}

/// Makes a request that the issuer has accepted; returns the token that it was given.
pub async fn requested(world: &World, issuer: &Peer, token: &str, pid: &str) -> String {
    let answer = world.post(REQUESTS).bearer(token).json(&wanted(issuer, pid)).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let received = issuer.next_request().await;
    received.answer.send((201, Some(format!("/requests/{pid}")))).expect("waits");
    world.event("acme", "credential.request.requested").await;
    received.bearer
}

pub async fn deliver(world: &World, issuer: &Peer, audience: &Did, message: &Value) -> Answer {
    let token = issuer.token(audience, &json!({}));
    world.post(STORAGE).bearer(&token).json(message).send().await
}

pub async fn stored(world: &World, token: &str) -> usize {
    let all = world.get(CREDENTIALS).bearer(token).send().await.json();
    all.as_array().expect("an array").len()
}

#[tokio::test]
async fn from_a_request_to_a_presentation() {
    let world = World::start().await;
    let (did, token) = world.join("acme").await;
    let (issuer, verifier) = (Peer::start("issuer").await, Peer::start("verifier").await);

    // The issuer gets a request that proves the holder, and carries a grant.
    let answer = world.post(REQUESTS).bearer(&token).json(&wanted(&issuer, "pid-1")).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.headers["location"], format!("{REQUESTS}/pid-1"));
    let received = issuer.next_request().await;
    assert_eq!(status(&world, &token, "pid-1").await["status"], "REQUESTING");
    assert_eq!(received.body["type"], "CredentialRequestMessage");
    assert_eq!(received.body["holderPid"], "pid-1");
    assert_eq!(received.body["credentials"], json!([{"id": "membership-def"}]));
    let document = world.get("/acme/did.json").send().await;
    let document = DidDocument::parse_for(&did, document.text.as_bytes()).expect("its document");
    let proof = self_issued::verify(&received.bearer, &document, &issuer.did, now(), &Rules::default());
    let grant = proof.expect("the holder proves itself").access_token().expect("a grant").to_owned();
    received.answer.send((201, Some("/requests/process-7".to_owned()))).expect("waits");
    world.event("acme", "credential.request.requested").await;
    let request = status(&world, &token, "pid-1").await;
    assert_eq!((&request["status"], &request["issuerPid"]), (&json!("REQUESTED"), &json!("process-7")));

    // It delivers, with the grant.
    let credential = issuer.credential("MembershipCredential", &did);
    let message = delivery("pid-1", &[("MembershipCredential", &credential)]);
    let bearer = issuer.token(&did, &json!({"token": grant}));
    let answer = world.post(STORAGE).bearer(&bearer).json(&message).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let request = status(&world, &token, "pid-1").await;
    assert_eq!((&request["status"], &request["issuerPid"]), (&json!("ISSUED"), &message["issuerPid"]));
    let event = world.event("acme", "credential.stored").await;
    let payload: Value = serde_json::from_str(&event.payload).expect("json");
    assert_eq!((&payload["participantContextId"], &payload["holderPid"]), (&json!("acme"), &json!("pid-1")));
    holder_sees(&world, &token, &credential).await;

    // A verifier that was given an access token sees it.
    let access = access_token(&world, &verifier.did, &["MembershipCredential"]).await;
    let bearer = verifier.token(&did, &json!({"token": access}));
    let query = crate::presentations::query(&["MembershipCredential"]);
    let answer = world.post(crate::presentations::QUERY).bearer(&bearer).json(&query).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    verify(&answer.json(), &document, &verifier.did, &[&credential]);
}

async fn holder_sees(world: &World, token: &str, credential: &str) {
    let all =
        world.get(&format!("{CREDENTIALS}?type=MembershipCredential")).bearer(token).send().await.json();
    assert_eq!(all[0]["verifiableCredential"]["rawVc"], credential);
    assert_eq!(
        (&all[0]["verifiableCredential"]["format"], &all[0]["state"]),
        (&json!("VC1_0_JWT"), &json!(500))
    );
    let none = world.get(&format!("{CREDENTIALS}?type=Other")).bearer(token).send().await.json();
    assert_eq!(none, json!([]));
    let path = format!("{CREDENTIALS}/{}", all[0]["id"].as_str().expect("an id"));
    assert_eq!(world.get(&path).bearer(token).send().await.json(), all[0]);
}

/// An access token that `acme` gives to a verifier.
pub async fn access_token(world: &World, verifier: &Did, types: &[&str]) -> String {
    let scopes: Vec<String> =
        types.iter().map(|kind| format!("org.eclipse.dspace.dcp.vc.type:{kind}:read")).collect();
    let audience = verifier.as_str().parse().expect("legal");
    let tokens = world.service.self_issued_tokens();
    let outer = tokens.token(&world.participant("acme"), &audience, &scopes, None).await.expect("issued");
    let outer = heddle_jose::Token::parse(&outer).expect("a token");
    outer.claims_unverified()["token"].as_str().expect("an access token").to_owned()
}

/// The answer holds one presentation of these credentials, signed by the holder for the verifier.
pub fn verify(answer: &Value, holder: &DidDocument, verifier: &Did, credentials: &[&str]) {
    assert_eq!(answer["type"], "PresentationResponseMessage");
    let presentations = answer["presentation"].as_array().expect("an array");
    assert_eq!(presentations.len(), 1, "one presentation per format");
    let parsed = vp11::parse(presentations[0].as_str().expect("a JWT")).expect("a presentation");
    let method =
        holder.verification_method_for(parsed.kid(), Relationship::Authentication, Strictness::Strict);
    let verified = parsed.verify(&method.expect("the holder's key").jwk().expect("a key")).expect("signed");
    let parsed = verified.parsed();
    assert_eq!(parsed.holder(), holder.id.as_str());
    assert!(parsed.audience().expect("an audience").is_only(verifier.as_str()));
    let shown: BTreeSet<&str> = parsed.credentials().iter().map(String::as_str).collect();
    assert_eq!(shown, credentials.iter().copied().collect());
    for text in shown {
        let credential = ParsedCredential::parse(text).expect("a credential");
        assert!(check_subject(credential.credential(), holder.id.as_str()).passed());
    }
}

#[tokio::test]
async fn a_delivery_may_overtake_the_answer_to_the_request() {
    let world = World::start().await;
    let (did, token) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    world.post(REQUESTS).bearer(&token).json(&wanted(&issuer, "pid-1")).send().await;
    let received = issuer.next_request().await;
    let credential = issuer.credential("MembershipCredential", &did);
    let message = delivery("pid-1", &[("MembershipCredential", &credential)]);
    assert_eq!(deliver(&world, &issuer, &did, &message).await.status, 200);
    assert_eq!(status(&world, &token, "pid-1").await["status"], "ISSUED");
    received.answer.send((201, Some("/requests/late".to_owned()))).expect("waits");
    world.drain().await;
    let settled = status(&world, &token, "pid-1").await;
    assert_eq!((&settled["status"], &settled["issuerPid"]), (&json!("ISSUED"), &message["issuerPid"]));
    assert_eq!(settled["typesAndFormats"][0]["id"], "membership-def");
}

#[tokio::test]
async fn a_refusal_by_the_issuer_ends_the_request_and_says_why() {
    let world = World::start().await;
    let (_, token) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    world.post(REQUESTS).bearer(&token).json(&wanted(&issuer, "pid-1")).send().await;
    issuer.next_request().await.answer.send((403, None)).expect("waits");
    world.event("acme", "credential.request.error").await;
    let request = status(&world, &token, "pid-1").await;
    assert_eq!(request["status"], "ERROR");
    assert!(request["reason"].as_str().expect("a sentence").contains("403"), "{request}");
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_and_a_known_request_is_no_error() {
    let world = World::start().await;
    let (_, token) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    world.post(REQUESTS).bearer(&token).json(&wanted(&issuer, "pid-1")).send().await;
    let first = issuer.next_request().await;
    first.answer.send((503, None)).expect("waits");
    let again = issuer.next_request().await;
    assert_eq!(again.body["holderPid"], "pid-1");
    assert!(again.key == first.key && !again.key.is_empty(), "by the key the issuer knows it again");
    // The first attempt has arrived after all, and only its answer was lost.
    again.answer.send((409, None)).expect("waits");
    world.event("acme", "credential.request.requested").await;
    assert_eq!(status(&world, &token, "pid-1").await["status"], "REQUESTED");
}

#[tokio::test]
async fn ids_that_are_left_out_are_found_in_the_metadata() {
    let world = World::start().await;
    let (_, token) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    let offers = |id: &str| {
        let object = json!({"id": id, "type": "CredentialObject", "credentialType": "MembershipCredential", "profile": "vc11-sl2021/jwt"});
        issuer.metadata.lock().expect("not poisoned").push_back(json!({
            "@context": ["https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"], "type": "IssuerMetadata",
            "issuer": issuer.did.as_str(), "credentialsSupported": [object],
        }));
    };
    offers("found");
    offers("renamed");
    let body = json!({"issuerDid": issuer.did.as_str(), "holderPid": "pid-1",
        "credentials": [{"format": "vc11-sl2021/jwt", "type": "MembershipCredential"}]});
    world.post(REQUESTS).bearer(&token).json(&body).send().await;
    let received = issuer.next_request().await;
    assert_eq!(received.body["credentials"], json!([{"id": "found"}]));
    received.answer.send((503, None)).expect("waits");
    let again = issuer.next_request().await;
    assert_eq!((&again.body, &again.key), (&received.body, &received.key), "it is the same request");
}

#[tokio::test]
async fn a_request_is_made_once() {
    let world = World::start().await;
    let (_, token) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    let ask = |key: &'static str, pid: &str| {
        world.post(REQUESTS).bearer(&token).header("idempotency-key", key).json(&wanted(&issuer, pid)).send()
    };
    let first = ask("a", "pid-1").await;
    let again = ask("a", "pid-1").await;
    assert_eq!((again.status, &again.headers["location"]), (201, &first.headers["location"]));
    assert_eq!(ask("b", "pid-1").await.status, 409);
    for (pointer, body) in [
        ("/credentials", json!({"issuerDid": issuer.did.as_str(), "credentials": []})),
        ("/credentials/1/id", {
            let mut body = wanted(&issuer, "p");
            let entry = body["credentials"][0].clone();
            body["credentials"].as_array_mut().expect("an array").push(entry);
            body
        }),
    ] {
        let answer = world.post(REQUESTS).bearer(&token).json(&body).send().await;
        assert_eq!((answer.status, &answer.json()[0]["path"]), (400, &json!(pointer)));
    }
    let (_, other) = world.join("other").await;
    let foreign =
        world.get("/api/identity/v1beta/participants/other/credentials/request/pid-1").bearer(&other);
    assert_eq!(foreign.send().await.status, 404, "a holderPid of somebody else does not exist");
}

#[tokio::test]
async fn a_stored_credential_can_be_deleted_by_its_owner() {
    let world = World::start().await;
    let (did, token) = world.join("acme").await;
    let issuer = Peer::start("issuer").await;
    requested(&world, &issuer, &token, "pid-1").await;
    let credential = issuer.credential("MembershipCredential", &did);
    deliver(&world, &issuer, &did, &delivery("pid-1", &[("MembershipCredential", &credential)])).await;
    let id = world.get(CREDENTIALS).bearer(&token).send().await.json()[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (_, other) = world.join("other").await;
    let foreign = format!("/api/identity/v1beta/participants/other/credentials/{id}");
    assert_eq!(world.get(&foreign).bearer(&other).send().await.status, 404);
    assert_eq!(world.call(Method::DELETE, &foreign).bearer(&other).send().await.status, 404);
    let own = format!("{CREDENTIALS}/{id}");
    assert_eq!(world.call(Method::DELETE, &own).bearer(&token).send().await.status, 204);
    assert_eq!(stored(&world, &token).await, 0);
    let nothing = format!("{CREDENTIALS}/{}", unique());
    assert_eq!(world.call(Method::DELETE, &nothing).bearer(&token).send().await.status, 404);
}
