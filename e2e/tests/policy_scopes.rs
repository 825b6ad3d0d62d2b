//! Credentials that a policy needs are asked for where that policy counts: in the negotiation, and again when a transfer
//! is asked for under the agreement.

use heddle::demo::founding::{CREDENTIAL, DEFINITION, scope};
use heddle_e2e::{Market, Scene};

/// What everybody proves everywhere.
const ADDRESS: &str = "AddressCredential";
/// The definition by which it is issued.
const ADDRESSES: &str = "address";

/// The issuer issues a second credential, which every request must bring; membership is proved under policies alone.
async fn ask_for_membership_under_policies_alone(scene: &Scene) {
    scene.also_issues(ADDRESSES, ADDRESS).await;
    let scopes = "/api/mgmt/v5beta/dcpscopes";
    let address = scope(&scene.dataspace, ADDRESSES, ADDRESS, true);
    scene.operator.create("address-scope", scopes, &address).await.expect("a scope");
    let membership = scope(&scene.dataspace, DEFINITION, CREDENTIAL, false);
    let id = membership["@id"].as_str().expect("an id");
    scene.operator.put(&format!("{scopes}/{id}"), &membership).await.expect("the scope is changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_asks_for_what_the_agreement_needs() {
    let market = Market::open("", "scopes").await;
    let Market { scene, provider, consumer, .. } = &market;
    ask_for_membership_under_policies_alone(scene).await;
    for party in [provider, consumer] {
        party.obtain(&scene.dataspace.issuer, ADDRESSES, ADDRESS).await;
    }
    provider.upload("file").await;
    // Everybody sees it; an agreement needs membership.
    provider.offer("file", (None, Some(CREDENTIAL))).await;
    let agreement = consumer.agree(provider, "file").await;
    let transfer = consumer.towards(provider).await.transfer("it", &agreement).await;
    assert!(transfer.is_ok(), "{transfer:?}; {:?}", provider.denials().await);
    market.server.stop().await;
}
