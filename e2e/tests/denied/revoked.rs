//! A credential that its issuer takes back.

use heddle_e2e::{Party, Scene, Server};
use serde_json::{Value, json};

const ASSET: &str = "for-members";

/// The issuer takes back what it issued to `party`.
async fn revoke(scene: &Scene, party: &Party) {
    let credentials = format!("{}/credentials", scene.issuer_admin());
    let holder = json!({"operandLeft": "holderId", "operator": "=", "operandRight": party.organisation.did});
    let query = json!({"filterExpression": [holder]});
    let issued = scene.operator.query(&format!("{credentials}/query"), &query).await.expect("a list");
    let issued = issued.as_array().expect("a list");
    assert_eq!(issued.len(), 1, "{issued:?}");
    let id = issued[0]["id"].as_str().expect("an id");
    scene.operator.query(&format!("{credentials}/{id}/revoke"), &json!({})).await.expect("it is revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_credential_stops_the_next_negotiation() {
    let server = Server::start("").await;
    let scene = Scene::found(server.credentials(), "taken-back").await;
    let provider = scene.onboard("provider").await;
    let consumer = scene.onboard("consumer").await;
    let other = scene.onboard("other").await;
    provider.publish(ASSET).await;
    let offer = consumer.offer_of(&provider, ASSET).await.expect("it is offered");
    let ended = consumer.negotiate(&provider, ASSET, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "{}", ended.negotiation);
    assert_eq!(provider.denials().await, Vec::<Value>::new());

    revoke(&scene, &consumer).await;
    assert_eq!(consumer.wallet().await.len(), 1, "it still has the credential");
    let ended = consumer.negotiate(&provider, ASSET, &offer).await;
    assert_eq!(ended.state(), "TERMINATED");
    let detail = ended.negotiation["errorDetail"].as_str().expect("a reason");
    assert!(detail.contains("404") && !detail.contains("revoked"), "the peer does not learn why: {detail}");

    let denials = provider.denials().await;
    assert_eq!(denials.len(), 1, "{denials:?}");
    assert_eq!((&denials[0]["request"], &denials[0]["subject"]), (&json!("negotiation"), &json!(ASSET)));
    assert_eq!(denials[0]["counterPartyId"], consumer.organisation.did.as_str());
    let reason = denials[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("revoked"), "{reason}");

    assert!(consumer.offer_of(&provider, ASSET).await.is_none(), "nor is it offered any more");
    let offer = other.offer_of(&provider, ASSET).await.expect("others are offered it");
    let ended = other.negotiate(&provider, ASSET, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "nobody else's was taken back: {}", ended.negotiation);
    server.stop().await;
}
