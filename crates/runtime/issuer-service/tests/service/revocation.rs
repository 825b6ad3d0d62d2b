//! Taking credentials back, and the lists that tell everybody.

use heddle_credentials::{StatusEntry, status::parse_status_credential};
use serde_json::Value;

use crate::{
    call::Answer,
    fixtures::{issuing, member, read},
    support::{ADMIN, World},
};

async fn is_revoked(world: &World, entry: &StatusEntry) -> bool {
    let answer = world.get(&entry.list_url).header("accept", "*/*").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/vc+jwt");
    assert_eq!(answer.headers["cache-control"], "no-cache");
    let list = parse_status_credential(&answer.text).expect("a status list");
    let list = list.verify(&world.key).expect("signed by the issuer");
    assert_eq!(list.issuer(), world.did.as_str());
    list.list().get(entry.index).expect("in range")
}

async fn revoke(world: &World, token: &str, id: &str) -> Answer {
    world.post(&format!("{ADMIN}/credentials/{id}/revoke")).bearer(token).send().await
}

async fn status(world: &World, token: &str, id: &str) -> Value {
    world.get(&format!("{ADMIN}/credentials/{id}/status")).bearer(token).send().await.json()
}

#[tokio::test]
async fn a_revoked_credential_is_so_for_everybody_at_once() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    let mut entries = Vec::new();
    for pid in ["pid-1", "pid-2"] {
        assert_eq!(holder.ask(&world, pid, &["membership-def"]).await.status, 201);
        entries.push(read(&world, &holder.delivery().await.payloads()[0]).credential().clone());
    }
    let [first, second] = entries.try_into().expect("two credentials");
    let uri = first.id.as_deref().expect("an id");
    let id = uri.strip_prefix("urn:uuid:").expect("a uuid");
    assert!(!is_revoked(&world, &first.status[0]).await);
    assert_eq!(status(&world, &token, id).await["status"], Value::Null);

    assert_eq!(revoke(&world, &token, id).await.status, 204);
    assert!(is_revoked(&world, &first.status[0]).await);
    assert!(!is_revoked(&world, &second.status[0]).await, "the one beside it stays good");
    assert_eq!(status(&world, &token, id).await["status"], "revocation");
    assert_eq!(revoke(&world, &token, id).await.status, 204, "doing it twice changes nothing");
    assert_eq!(revoke(&world, &token, &uri.replace(':', "%3A")).await.status, 204, "by its URI too");
    assert_eq!(revoke(&world, &token, "unknown").await.status, 404);
    let event = world.event("issuance.revoked").await;
    assert!(event.payload.contains(id), "{}", event.payload);

    // What was issued can be taken back from an issuer that issues no more.
    world.publish_context("issuer", false).await;
    let id = second.id.as_deref().and_then(|uri| uri.strip_prefix("urn:uuid:")).expect("an id");
    assert_eq!(revoke(&world, &token, id).await.status, 204);
    assert!(is_revoked(&world, &second.status[0]).await);
}

#[tokio::test]
async fn another_issuer_cannot_revoke() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    holder.ask(&world, "pid-1", &["membership-def"]).await;
    let credential = read(&world, &holder.delivery().await.payloads()[0]).credential().clone();
    let id = credential.id.as_deref().and_then(|uri| uri.strip_prefix("urn:uuid:")).expect("an id");
    world.publish_context("second", true).await;
    let second = world.own_token("second").await;
    assert_eq!(revoke(&world, &second, id).await.status, 403);
    let own = format!("/api/admin/v1beta/participants/second/credentials/{id}/revoke");
    assert_eq!(world.post(&own).bearer(&second).send().await.status, 404);
    assert!(!is_revoked(&world, &credential.status[0]).await);
}

#[tokio::test]
async fn a_list_comes_in_the_form_that_is_wanted() {
    let world = World::start().await;
    let token = issuing(&world).await;
    let holder = member(&world, &token).await;
    holder.ask(&world, "pid-1", &["membership-def"]).await;
    let status = read(&world, &holder.delivery().await.payloads()[0]).credential().status[0].clone();
    let list = |accept: &'static str| world.get(&status.list_url).header("accept", accept).send();
    let plain = list("application/json").await;
    assert_eq!(plain.headers["content-type"], "application/json");
    assert_eq!(plain.json()["credentialSubject"]["statusPurpose"], "revocation");
    assert_eq!(list("application/vc+jwt").await.status, 200);
    assert_eq!(list("text/html").await.status, 406);
    assert_eq!(world.get("/statuslist/unknown").send().await.status, 404);
}
