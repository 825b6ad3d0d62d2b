//! Credentials that a policy needs are asked for where that policy counts: in the negotiation, and again when a transfer
//! is asked for under the agreement.

use heddle::demo::{
    Client,
    content::Content,
    feed::Feed,
    founding::{ATTESTATION, CREDENTIAL},
    onboarding::Organisation,
    publishing,
    sharing::Consumer,
};
use heddle_e2e::{Scene, Server};
use serde_json::json;

const CONTEXT: &str = "https://w3id.org/edc/connector/management/v2";
/// What everybody proves everywhere.
const ADDRESS: &str = "AddressCredential";

fn scope_value(kind: &str) -> String {
    format!("org.eclipse.dspace.dcp.vc.type:{kind}:read")
}

/// The issuer issues a second credential, which every request must bring; membership is proved under policies alone.
async fn ask_for_membership_under_policies_alone(scene: &Scene) {
    let (operator, dataspace) = (&scene.operator, &scene.dataspace);
    let definition = json!({
        "id": "address", "credentialType": ADDRESS, "attestations": [ATTESTATION], "jsonSchema": "{}",
        "format": "vc11-sl2021/jwt", "validity": 604_800, "rules": [],
        "mappings": [{"input": "membership", "output": "credentialSubject.address", "required": true}],
    });
    let path = format!("/api/admin/v1beta/participants/{}/credentialdefinitions", dataspace.issuer_context);
    operator.create("address", &path, &definition).await.expect("a definition");
    let profile = json!({
        "@context": [CONTEXT], "@type": "DataspaceProfile", "name": dataspace.profile,
        "protocol": {"version": "2025-1", "path": format!("/{}", dataspace.profile), "binding": "HTTPS",
            "namespace": "https://w3id.org/dspace/2025/1/"},
        "jsonLdContextsUrl": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "trustedIssuers": [{"@type": "TrustedIssuer", "@id": dataspace.issuer,
            "supportedTypes": [CREDENTIAL, ADDRESS]}],
    });
    operator.put("/api/mgmt/v5beta/dataspaceprofiles", &profile).await.expect("it trusts both types");
    let other = json!({
        "@context": [CONTEXT], "@type": "DcpScope", "type": "DEFAULT", "profile": dataspace.profile,
        "value": scope_value(ADDRESS),
    });
    operator.create("address-scope", "/api/mgmt/v5beta/dcpscopes", &other).await.expect("a scope");
    let id = format!("membership-{}", dataspace.profile);
    let scope = json!({
        "@context": [CONTEXT], "@type": "DcpScope", "@id": id, "type": "POLICY", "prefixMapping": CREDENTIAL,
        "value": scope_value(CREDENTIAL), "profile": dataspace.profile,
    });
    operator.put(&format!("/api/mgmt/v5beta/dcpscopes/{id}"), &scope).await.expect("the scope is changed");
}

/// Gets the second credential for an organisation.
async fn get_address(scene: &Scene, organisation: &Organisation) -> Client {
    let client = organisation.client(&scene.operator);
    let identity = format!("/api/identity/v1beta/participants/{}", organisation.context);
    let mut feed = Feed::open(&client, &format!("{identity}/events")).await.expect("a feed");
    let body = json!({"issuerDid": scene.dataspace.issuer, "holderPid": "address",
        "credentials": [{"format": "VC1_0_JWT", "type": ADDRESS, "id": "address"}]});
    client.create("address", &format!("{identity}/credentials/request"), &body).await.expect("a request");
    let issued = feed.wait("it is issued", |event| {
        assert_ne!(event.kind, "credential.request.error", "{:?}", event.payload);
        event.kind == "credential.request.issued" && event.tells("holderPid", "address")
    });
    issued.await.expect("it is issued");
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_asks_for_what_the_agreement_needs() {
    let server = Server::start("").await;
    let scene = Scene::found(&server.credentials(), "scopes").await;
    let (provider, consumer) = (scene.onboard("provider").await, scene.onboard("consumer").await);
    ask_for_membership_under_policies_alone(&scene).await;
    let (sells, buys) = (get_address(&scene, &provider).await, get_address(&scene, &consumer).await);
    publishing::publish(&sells, &provider, "file", &Content::Generated(1)).await.expect("published");
    // Everybody sees it; an agreement needs membership.
    let definition = json!({
        "@context": [CONTEXT], "@type": "ContractDefinition", "@id": "offer-file",
        "accessPolicyId": "usage-file", "contractPolicyId": "access-file", "assetsSelector": [],
    });
    sells.put(&format!("{}/contractdefinitions", provider.management()), &definition).await.expect("changed");
    let mut story = Consumer::ready(&buys, &consumer, &provider).await.expect("a feed");
    let offer = story.discover("file").await.expect("it is offered");
    let (agreement, _) = story.negotiate("it", "file", &offer).await.expect("an agreement");
    let transfer = story.transfer("it", &agreement).await;
    let denials = sells.get(&format!("{}/denials", provider.management())).await.expect("a list");
    assert!(transfer.is_ok(), "{transfer:?}; {denials}");
    server.stop().await;
}
