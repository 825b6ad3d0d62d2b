//! One participant in two dataspaces with different issuers: the credential of one never opens the other.

use heddle::demo::{
    founding::{CREDENTIAL, DEFINITION},
    management::typed,
    onboarding::Organisation,
};
use heddle_e2e::{Party, Scene, Server, onboard_in};
use serde_json::{Value, json};

/// The operator lets a participant take part in all of these dataspaces; no credential comes with that.
async fn associate(scenes: &[&Scene], party: &Party) {
    let profiles: Vec<&str> = scenes.iter().map(|scene| scene.dataspace.profile.as_str()).collect();
    let body = typed("AssociateDataspaceProfile", json!({"profiles": profiles}));
    let path = format!("{}/profiles", party.organisation.management());
    scenes[0].operator.put(&path, &body).await.expect("associated");
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

/// The party as it acts in each of two dataspaces.
async fn under_both(party: &Party, a: &Scene, b: &Scene) -> [Party; 2] {
    [party.under(a).await, party.under(b).await]
}

async fn is_open(consumer: &Party, provider: &Party, asset: &str) {
    let offer = consumer.offer_of(provider, asset).await.expect("it is offered");
    let ended = consumer.negotiate(provider, asset, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "{}", ended.negotiation);
}

/// Neither the catalog nor the offer as a member was shown it opens anything; the provider reads that the other
/// dataspace's issuer does not count.
async fn is_closed(consumer: &Party, provider: &Party, (asset, offer): (&str, &Value), foreign: &Scene) {
    assert!(consumer.offer_of(provider, asset).await.is_none(), "it is not offered");
    let ended = consumer.negotiate(provider, asset, offer).await;
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
    let a = Scene::found(server.credentials(), "alpha").await;
    let b = Scene::found(server.credentials(), "beta").await;
    for (first, second) in [(&a, &b), (&b, &a)] {
        // The provider is only in the second dataspace, a member of it too; the consumer comes from the first.
        let tag = &first.dataspace.profile;
        let provider = second.onboard(&format!("provider-{tag}")).await;
        let member = second.onboard(&format!("member-{tag}")).await;
        let consumer = first.onboard(&format!("consumer-{tag}")).await;
        associate(&[first, second], &consumer).await;
        let asset = format!("asset-{tag}");
        provider.publish(&asset).await;
        let offer = member.offer_of(&provider, &asset).await.expect("members are offered it");

        let consumer = consumer.under(second).await;
        is_closed(&consumer, &provider, (&asset, &offer), first).await;
        obtain(second, &consumer).await;
        assert_eq!(consumer.wallet().await.len(), 2, "now it has both");
        is_open(&consumer, &provider, &asset).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_participant_comes_on_board_in_two_dataspaces_at_once() {
    let server = Server::start("").await;
    let a = Scene::found(server.credentials(), "alpha").await;
    let b = Scene::found(server.credentials(), "beta").await;
    let (provider, consumer) =
        (onboard_in(&[&a, &b], "provider").await, onboard_in(&[&a, &b], "consumer").await);
    let wallet = consumer.wallet().await;
    let mut issuers: Vec<&Value> = wallet.iter().map(|held| &held["issuerId"]).collect();
    issuers.sort_by_key(ToString::to_string);
    assert_eq!(issuers, [&json!(a.dataspace.issuer), &json!(b.dataspace.issuer)]);
    let (provider, consumer) = (under_both(&provider, &a, &b).await, under_both(&consumer, &a, &b).await);
    provider[0].publish("shared").await;
    for (consumer, provider) in consumer.iter().zip(&provider) {
        is_open(consumer, provider, "shared").await;
    }
    // A member of one dataspace alone finds the provider there, and in the other nothing.
    let alone = a.onboard("alone").await;
    let offer = alone.offer_of(&provider[0], "shared").await.expect("offered");
    associate(&[&a, &b], &alone).await;
    is_closed(&alone.under(&b).await, &provider[1], ("shared", &offer), &a).await;
    is_open(&alone, &provider[0], "shared").await;
    server.stop().await;
}
