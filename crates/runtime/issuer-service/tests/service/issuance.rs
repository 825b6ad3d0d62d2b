//! From a request to the credential at the holder, and the requests that come to nothing.

use std::collections::BTreeSet;

use heddle_credentials::{StatusKind, check_issuer_binding, check_subject};
use heddle_dcp::{Rules, token::self_issued};
use heddle_did::{DidDocument, Relationship};
use heddle_issuer_service::Settings;
use serde_json::json;

use crate::{
    fixtures::{attest, issuing, member, read, register},
    holder::{Holder, wanted},
    support::{ADMIN, DCP, World, now},
};

#[tokio::test]
async fn an_attested_holder_gets_its_credential() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let proof = holder.token(&world.did, &json!({"token": "write-grant"}));
    let call = world.post(&format!("{DCP}/credentials")).bearer(&proof);
    let answer = call.json(&wanted("pid-1", &["membership-def"])).send().await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let location = answer.headers["location"].to_str().expect("text").to_owned();
    assert!(location.starts_with(&format!("{}{DCP}/requests/", world.url)), "{location}");

    let delivery = holder.delivery().await;
    assert_eq!((&delivery.body["status"], &delivery.body["holderPid"]), (&json!("ISSUED"), &json!("pid-1")));
    assert_eq!(delivery.body["issuerPid"], location.rsplit('/').next().expect("an id"));
    assert_eq!(delivery.body["credentials"][0]["credentialType"], "MembershipCredential");
    assert_eq!(delivery.body["credentials"][0]["format"], "vc11-sl2021/jwt");
    let document =
        DidDocument::new(world.did.clone()).with_key("key-1", world.key.clone(), &Relationship::ALL);
    let sender = self_issued::verify(&delivery.bearer, &document, &holder.did, now(), &Rules::default());
    let sender = sender.expect("the issuer proves itself");
    assert_eq!(sender.access_token(), Some("write-grant"), "the token of the request comes back");

    let [payload] = delivery.payloads().try_into().expect("one credential");
    let parsed = read(&world, &payload);
    let credential = parsed.credential();
    assert!(
        check_issuer_binding(&parsed).passed() && check_subject(credential, holder.did.as_str()).passed()
    );
    assert!(credential.is_of_type("MembershipCredential"));
    assert_eq!(credential.subjects[0]["membership"], json!({"level": "gold"}));
    assert!(!credential.subjects[0].contains_key("active"), "what is not mapped stays with the issuer");
    let lifetime = credential.valid_until.expect("an end").since(credential.valid_from.expect("a beginning"));
    assert_eq!(lifetime.as_secs(), 604_800);
    assert_eq!(credential.status[0].kind, StatusKind::StatusList2021);
    assert!(credential.status[0].list_url.starts_with(&format!("{}/statuslist/", world.url)));
    assert!(credential.raw["credentialStatus"]["statusListIndex"].is_string());

    world.event("issuance.delivered").await;
    let status = holder.status(&world, &location).await;
    assert_eq!((status.status, &status.json()["status"]), (200, &json!("ISSUED")));
    for kind in ["issuance.submitted", "issuance.approved"] {
        let event = world.event(kind).await;
        assert!(event.payload.contains("\"holderPid\":\"pid-1\""), "{}", event.payload);
        assert!(!event.payload.contains("write-grant"));
    }
    let id = location.rsplit('/').next().expect("an id");
    let process = world.get(&format!("{ADMIN}/issuanceprocesses/{id}")).bearer(&token).send().await;
    assert_eq!(process.json()["state"], "DELIVERED");
    assert_eq!(process.json()["credentialFormats"]["membership-def"], "VC1_0_JWT");
    assert!(!process.text.contains("write-grant"), "{}", process.text);
}

#[tokio::test]
async fn without_an_attestation_nothing_is_issued() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = Holder::start().await;
    register(&world, &token, &holder).await;
    assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, 403);
    // A record that breaks a rule, and one that lacks what the credential must say.
    for claims in [json!({"level": "gold", "active": false}), json!({"active": true})] {
        attest(&world, &token, &holder, &claims).await;
        let answer = holder.ask(&world, "pid-1", &["membership-def"]).await;
        assert_eq!(answer.status, 403, "{claims}");
        assert!(!answer.text.contains("level"), "the holder is not told why: {}", answer.text);
    }
    let issued =
        world.post(&format!("{ADMIN}/credentials/query")).bearer(&token).json(&json!({})).send().await;
    assert_eq!(issued.json(), json!([]));
    assert!(holder.has_nothing_more().await);
    let spec =
        json!({"filterExpression": [{"operandLeft": "state", "operator": "=", "operandRight": "ERRORED"}]});
    let query = world.post(&format!("{ADMIN}/issuanceprocesses/query")).bearer(&token).json(&spec);
    let errored = query.send().await.json();
    let reasons: Vec<_> =
        errored.as_array().expect("an array").iter().map(|one| &one["errorDetail"]).collect();
    assert_eq!(reasons.len(), 3, "the issuer is told why: {errored}");
    assert!(reasons[0].as_str().expect("a sentence").contains("no record of this holder"), "{errored}");
}

#[tokio::test]
async fn all_that_is_asked_for_or_nothing() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let mut other = crate::fixtures::definition("other-def");
    other["rules"][0]["configuration"]["value"] = json!("never");
    let made = world.post(&format!("{ADMIN}/credentialdefinitions")).bearer(&token).json(&other).send().await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(holder.ask(&world, "pid-1", &["membership-def", "other-def"]).await.status, 403);
    let unknown = holder.ask(&world, "pid-1", &["membership-def", "nothing"]).await;
    assert_eq!((unknown.status, &unknown.json()[0]["path"]), (400, &json!("/credentials/1/id")));
    assert!(holder.has_nothing_more().await);
}

#[tokio::test]
async fn a_repeated_holder_pid_is_a_new_process_unless_the_operator_says_otherwise() {
    let strict = Settings { refuse_repeated_holder_pid: true };
    for (settings, again) in [(Settings::default(), 201), (strict, 409)] {
        let world = World::start_with(settings).await;
        let token = issuing(&world).await;
        let (holder, other) = (member(&world, &token).await, member(&world, &token).await);
        assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, 201);
        assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, again);
        assert_eq!(other.ask(&world, "pid-1", &["membership-def"]).await.status, 201, "another holder's pid");
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_with_its_key_gets_the_first_answer_and_one_delivery() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let (holder, other) = (member(&world, &token).await, member(&world, &token).await);
    let first = holder.ask_as(&world, "key-1", "pid-1").await;
    assert_eq!(first.status, 201, "{}", first.text);
    holder.delivery().await;
    let again = holder.ask_as(&world, "key-1", "pid-1").await;
    assert_eq!((again.status, &again.headers["location"]), (201, &first.headers["location"]));
    assert!(holder.has_nothing_more().await);
    assert_eq!(holder.ask_as(&world, "key-1", "pid-2").await.status, 422, "another request under the key");
    let others = other.ask_as(&world, "key-1", "pid-1").await;
    assert_eq!(others.status, 201, "{}", others.text);
    assert_ne!(others.headers["location"], first.headers["location"], "another holder's key");
}

#[tokio::test]
async fn places_in_the_status_list_are_given_out_once() {
    const REQUESTS: usize = 12;
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let pids: Vec<String> = (0..REQUESTS).map(|n| format!("pid-{n}")).collect();
    let asked = pids.iter().map(|pid| holder.ask(&world, pid, &["membership-def"]));
    for answer in futures::future::join_all(asked).await {
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    let mut places = BTreeSet::new();
    for _ in 0..REQUESTS {
        let delivery = holder.delivery().await;
        let status = read(&world, &delivery.payloads()[0]).credential().status[0].clone();
        assert!(places.insert((status.list_url, status.index)), "{places:?}");
    }
    let lists: BTreeSet<_> = places.iter().map(|(list, _)| list).collect();
    assert_eq!(lists.len(), 1, "one open list: {lists:?}");
}
