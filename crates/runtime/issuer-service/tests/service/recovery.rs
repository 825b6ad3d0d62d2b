//! Jobs that run twice, processes that break down, holders that are not there: one credential, whatever happens.

use std::sync::atomic::Ordering;

use heddle_store::NewJob;
use serde_json::{Value, json};

use crate::{
    fixtures::{attest, issuing, member, read, register},
    holder::Holder,
    support::{ADMIN, World},
};

async fn issued(world: &World, token: &str) -> Vec<Value> {
    let query = world.post(&format!("{ADMIN}/credentials/query")).bearer(token).json(&json!({}));
    query.send().await.json().as_array().expect("an array").clone()
}

#[tokio::test]
async fn a_crash_between_signing_and_delivery_delivers_the_same_credential() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    // The token for the delivery is asked for when the signed credential is stored.
    world.tokens.crashes.store(2, Ordering::SeqCst);
    holder.answers.lock().expect("not poisoned").extend([503, 503]);
    assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, 201);
    let first = holder.delivery().await;
    let stored = issued(&world, &token).await;
    let (second, third) = (holder.delivery().await, holder.delivery().await);
    assert_eq!(first.payloads(), second.payloads(), "the same credential, to the letter");
    assert_eq!(first.payloads(), third.payloads());
    assert_ne!(first.bearer, second.bearer, "with a fresh proof");
    world.event("issuance.delivered").await;
    let after = issued(&world, &token).await;
    assert_eq!((stored.len(), after.len()), (1, 1), "one credential, signed once");
    assert_eq!(stored, after);
    assert!(holder.has_nothing_more().await);
}

#[tokio::test]
async fn a_job_that_runs_twice_changes_nothing() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let answer = holder.ask(&world, "pid-1", &["membership-def"]).await;
    let id = answer.headers["location"].to_str().expect("text").rsplit('/').next().expect("an id").to_owned();
    let first = holder.delivery().await;
    world.event("issuance.delivered").await;

    let scope = world.participant("issuer");
    let mut transaction = world.store.begin(&scope);
    transaction.enqueue(NewJob::new("issuance.deliver", format!("issuance/{id}"), &json!({"process": id})));
    transaction.commit().await.expect("enqueued");
    // Whatever the second run does is over when a later delivery has come.
    assert_eq!(holder.ask(&world, "pid-2", &["membership-def"]).await.status, 201);
    let other = holder.delivery().await;
    assert_eq!(other.body["holderPid"], "pid-2");
    let credentials = issued(&world, &token).await;
    assert_eq!(credentials.len(), 2);
    let index = |payload: &str| read(&world, payload).credential().status[0].index;
    assert_ne!(index(&first.payloads()[0]), index(&other.payloads()[0]));
    assert!(holder.has_nothing_more().await);
}

#[tokio::test]
async fn a_delivery_that_is_refused_for_good_ends_the_process_and_the_holder_is_told() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    holder.answers.lock().expect("not poisoned").push_back(400);
    let answer = holder.ask(&world, "pid-1", &["membership-def"]).await;
    let location = answer.headers["location"].to_str().expect("text").to_owned();
    assert_eq!(holder.delivery().await.body["status"], "ISSUED");
    let rejection = holder.delivery().await;
    assert_eq!(
        (&rejection.body["status"], &rejection.body["holderPid"]),
        (&json!("REJECTED"), &json!("pid-1"))
    );
    assert_eq!(rejection.body.get("credentials"), None);
    let event = world.event("issuance.errored").await;
    assert!(event.payload.contains("400"), "{}", event.payload);
    assert_eq!(holder.status(&world, &location).await.json()["status"], "REJECTED");
}

#[tokio::test]
async fn a_holder_without_a_credential_service_gets_nothing() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = Holder::start_with(|document, _| document).await;
    attest(&world, &token, &holder, &json!({"active": true, "level": "gold"})).await;
    register(&world, &token, &holder).await;
    assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, 201);
    let event = world.event("issuance.errored").await;
    assert!(event.payload.contains("no CredentialService"), "{}", event.payload);
}

#[tokio::test]
async fn an_issuer_without_a_key_issues_nothing() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    world.destroy_key().await;
    assert_eq!(holder.ask(&world, "pid-1", &["membership-def"]).await.status, 201);
    let event = world.event("issuance.errored").await;
    assert!(event.payload.contains("no active key"), "{}", event.payload);
    assert_eq!(issued(&world, &token).await.len(), 0);
}
