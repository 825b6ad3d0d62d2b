//! Credentials that a policy needs are asked for where that policy counts: in the negotiation, and again when a transfer
//! is asked for under the agreement.

use heddle::demo::{client::Client, content::Content, founding::CREDENTIAL, publishing, sharing::Consumer};
use heddle_e2e::{Scene, Server};
use serde_json::json;

const CONTEXT: &str = "https://w3id.org/edc/connector/management/v2";

/// Members prove themselves with a credential of another type everywhere; membership is proved only under policies.
async fn ask_for_membership_under_policies_alone(scene: &Scene) {
    let profile = &scene.dataspace.profile;
    let id = format!("membership-{profile}");
    let scope = json!({
        "@context": [CONTEXT], "@type": "DcpScope", "@id": id, "type": "POLICY", "prefixMapping": CREDENTIAL,
        "value": format!("org.eclipse.dspace.dcp.vc.type:{CREDENTIAL}:read"), "profile": profile,
    });
    let path = format!("/api/mgmt/v5beta/dcpscopes/{id}");
    scene.operator.put(&path, &scope).await.expect("the scope is changed");
    let other = json!({
        "@context": [CONTEXT], "@type": "DcpScope", "type": "DEFAULT", "profile": profile,
        "value": "org.eclipse.dspace.dcp.vc.type:AddressCredential:read",
    });
    scene.operator.create("other-scope", "/api/mgmt/v5beta/dcpscopes", &other).await.expect("a scope");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_asks_for_what_the_agreement_needs() {
    let server = Server::start("").await;
    let scene = Scene::found(&server.credentials(), "scopes").await;
    let (provider, consumer) = (scene.onboard("provider").await, scene.onboard("consumer").await);
    let client = |organisation: &heddle::demo::onboarding::Organisation| -> Client {
        organisation.client(&scene.operator)
    };
    let (sells, buys) = (client(&provider), client(&consumer));
    publishing::publish(&sells, &provider, "file", &Content::Generated(1)).await.expect("published");
    // Everybody sees it; an agreement needs membership.
    let definition = json!({
        "@context": [CONTEXT], "@type": "ContractDefinition", "@id": "offer-file",
        "accessPolicyId": "usage-file", "contractPolicyId": "access-file", "assetsSelector": [],
    });
    let path = format!("{}/contractdefinitions/offer-file", provider.management());
    sells.put(&path, &definition).await.expect("changed");
    ask_for_membership_under_policies_alone(&scene).await;
    let mut story = Consumer::ready(&buys, &consumer, &provider).await.expect("a feed");
    let offer = story.discover("file").await.expect("it is offered");
    let (agreement, _) = story.negotiate("it", "file", &offer).await.expect("an agreement");
    let transfer = story.transfer("it", &agreement).await;
    let denials = sells.get(&format!("{}/denials", provider.management())).await.expect("a list");
    assert!(transfer.is_ok(), "{transfer:?}; {denials}");
    server.stop().await;
}
