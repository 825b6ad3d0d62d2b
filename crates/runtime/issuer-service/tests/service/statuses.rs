//! Asking for the status of a request (conformance: CredentialRequestStatusTest).

use heddle_did::Did;
use heddle_jose::{Algorithm, SoftwareKey};
use serde_json::json;

use crate::{
    fixtures::{issuing, member},
    holder::Holder,
    support::{DCP, World, now},
};

async fn requested(world: &World, holder: &Holder) -> String {
    let answer = holder.ask(world, "pid-1", &["membership-def"]).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.headers["location"].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn the_status_is_there_at_once_and_tells_who_is_who() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    // The holder takes its time, so that the process stays approved.
    holder.answers.lock().expect("not poisoned").extend([503; 3]);
    let location = requested(&world, &holder).await;
    let status = holder.status(&world, &location).await;
    assert_eq!(status.status, 200);
    let status = status.json();
    assert_eq!((&status["type"], &status["status"]), (&json!("CredentialStatus"), &json!("RECEIVED")));
    assert_eq!(status["holderPid"], "pid-1");
    assert!(location.ends_with(status["issuerPid"].as_str().expect("an id")));
}

#[tokio::test]
async fn the_status_is_for_its_requester_alone() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let (holder, other) = (member(&world, &token).await, member(&world, &token).await);
    let location = requested(&world, &holder).await;
    let foreign = other.status(&world, &location).await;
    let unknown = other.status(&world, &format!("{DCP}/requests/not-exist")).await;
    assert_eq!((foreign.status, unknown.status), (401, 401));
    assert_eq!(foreign.text, unknown.text, "nobody learns that the request exists");
    world.publish_context("second", true).await;
    let elsewhere = location.replace("/issuer/", "/second/");
    let second = Did::parse(&world.did.as_str().replace(":issuer", ":second")).expect("legal");
    let answer = world.get(&elsewhere).bearer(&holder.token(&second, &json!({}))).send().await;
    assert_eq!(answer.status, 401, "another issuer does not know it");
}

#[tokio::test]
async fn tokens_that_do_not_hold_are_refused() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let location = requested(&world, &holder).await;
    let (at, aud) = (now().as_seconds(), &world.did);
    let other = Did::parse("did:web:thirdparty.example").expect("legal");
    let spoofed = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
    for (why, bearer) in [
        ("wrong key", holder.token_with(&spoofed, aud, &json!({}))),
        ("expired", holder.token(aud, &json!({"iat": at - 120, "exp": at - 60}))),
        ("issued in the future", holder.token(aud, &json!({"iat": at + 60}))),
        ("not yet valid", holder.token(aud, &json!({"nbf": at + 60}))),
        ("another audience", holder.token(&other, &json!({}))),
        ("another issuer", holder.token(aud, &json!({"iss": other.as_str()}))),
    ] {
        assert_eq!(world.get(&location).bearer(&bearer).send().await.status, 401, "{why}");
    }
    let good = holder.token(aud, &json!({}));
    assert_eq!(world.get(&location).send().await.status, 401, "no header");
    assert_eq!(world.get(&location).authorization(&good).send().await.status, 401, "no scheme");
    assert_eq!(world.get(&location).bearer(&good).send().await.status, 200);
    assert_eq!(world.get(&location).bearer(&good).send().await.status, 401, "the token was used");
}
