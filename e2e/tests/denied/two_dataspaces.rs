//! One participant in two dataspaces with different issuers: the credential of one never opens the other.

use heddle::demo::{
    founding::{CREDENTIAL, DEFINITION},
    onboarding::Organisation,
};
use heddle_e2e::{Scene, Server, onboard_in, under, wallet};
use serde_json::{Value, json};

use crate::party::Party;

/// `organisation` as it acts in the dataspace of `scene`.
fn party(scene: &Scene, organisation: &Organisation) -> Party {
    Party::new(&scene.operator, under(scene, organisation))
}

/// The operator lets a participant take part in all of these dataspaces; no credential comes with that.
async fn associate(scenes: &[&Scene], organisation: &Organisation) {
    let profiles: Vec<&str> = scenes.iter().map(|scene| scene.dataspace.profile.as_str()).collect();
    let body = json!({
        "@context": ["https://w3id.org/edc/connector/management/v2"],
        "@type": "AssociateDataspaceProfile", "profiles": profiles,
    });
    scenes[0]
        .operator
        .put(&format!("{}/profiles", organisation.management()), &body)
        .await
        .expect("associated");
}

/// The governance body of `scene` admits the participant, who then asks for the credential and gets it.
async fn obtain(scene: &Scene, party: &Party) {
    let Organisation { name, did, .. } = &party.organisation;
    let holder = json!({"holderId": did, "did": did, "name": name});
    let holders = format!("{}/holders", scene.issuer_admin());
    scene.operator.create(&format!("holder-{name}"), &holders, &holder).await.expect("it is registered");
    scene.approve(name, did).await;
    party.obtain(&scene.dataspace.issuer, DEFINITION, CREDENTIAL).await;
}

async fn is_open(consumer: &Party, provider: &Party, asset: &str) {
    let offer = consumer.offer_of(&provider.organisation, asset).await.expect("it is offered");
    let ended = consumer.negotiate(&provider.organisation, asset, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "{}", ended.negotiation);
}

/// Neither the catalog nor the offer as a member was shown it opens anything; the provider reads that the other
/// dataspace's issuer does not count.
async fn is_closed(consumer: &Party, provider: &Party, (asset, offer): (&str, &Value), foreign: &Scene) {
    assert!(consumer.offer_of(&provider.organisation, asset).await.is_none(), "it is not offered");
    let ended = consumer.negotiate(&provider.organisation, asset, offer).await;
    assert_eq!(ended.state(), "TERMINATED", "{}", ended.negotiation);
    let newest = provider.denials().await.remove(0);
    assert_eq!((&newest["request"], &newest["subject"]), (&json!("negotiation"), &json!(asset)));
    let reason = newest["reason"].as_str().expect("a reason");
    let why = format!("'{}' is not an issuer that this dataspace profile trusts", foreign.dataspace.issuer);
    assert!(reason.contains(&why), "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_credential_of_one_dataspace_never_opens_the_other() {
    let server = Server::start("").await;
    let a = Scene::found(&server.credentials(), "alpha").await;
    let b = Scene::found(&server.credentials(), "beta").await;
    for (first, second) in [(&a, &b), (&b, &a)] {
        // The provider is only in the second dataspace, a member of it too; the consumer comes from the first.
        let tag = &first.dataspace.profile;
        let provider = second.onboard(&format!("provider-{tag}")).await;
        let member = second.onboard(&format!("member-{tag}")).await;
        let consumer = first.onboard(&format!("consumer-{tag}")).await;
        associate(&[first, second], &consumer).await;
        let (provider, member) = (party(second, &provider), party(second, &member));
        let asset = format!("asset-{tag}");
        provider.publish(&asset).await;
        let offer = member.offer_of(&provider.organisation, &asset).await.expect("members are offered it");

        let consumer = party(second, &consumer);
        is_closed(&consumer, &provider, (&asset, &offer), first).await;
        obtain(second, &consumer).await;
        assert_eq!(wallet(&consumer.client, &consumer.organisation).await.len(), 2, "now it has both");
        is_open(&consumer, &provider, &asset).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_participant_comes_on_board_in_two_dataspaces_at_once() {
    let server = Server::start("").await;
    let a = Scene::found(&server.credentials(), "alpha").await;
    let b = Scene::found(&server.credentials(), "beta").await;
    let (provider, consumer) =
        (onboard_in(&[&a, &b], "provider").await, onboard_in(&[&a, &b], "consumer").await);
    let mut issuers: Vec<Value> = Vec::new();
    for held in wallet(&party(&a, &consumer).client, &consumer).await {
        issuers.push(held["issuerId"].clone());
    }
    issuers.sort_by_key(Value::to_string);
    assert_eq!(issuers, [json!(a.dataspace.issuer), json!(b.dataspace.issuer)]);
    party(&a, &provider).publish("shared").await;
    for scene in [&a, &b] {
        is_open(&party(scene, &consumer), &party(scene, &provider), "shared").await;
    }
    // A member of one dataspace alone finds the provider there, and in the other nothing.
    let alone = a.onboard("alone").await;
    let offer =
        party(&a, &alone).offer_of(&party(&a, &provider).organisation, "shared").await.expect("offered");
    associate(&[&a, &b], &alone).await;
    is_closed(&party(&b, &alone), &party(&b, &provider), ("shared", &offer), &a).await;
    is_open(&party(&a, &alone), &party(&a, &provider), "shared").await;
    server.stop().await;
}
