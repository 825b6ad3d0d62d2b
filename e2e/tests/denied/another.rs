//! A member that lacks the one credential that some assets ask for beside membership.

use heddle::demo::founding::{ATTESTATION, CREDENTIAL};
use heddle_e2e::{Scene, Server};
use serde_json::{Value, json};

use crate::{
    alike::Denied,
    party::{Party, denials_of, times},
};

const MAKER: &str = "ManufacturerCredential";
const DEFINITION: &str = "manufacturer";
const ASSET: &str = "for-makers";
const MEMBERS: &str = "for-members";

/// The dataspace knows manufacturers too: its issuer names them, policies may speak of them.
async fn with_manufacturers(scene: &Scene) {
    let definition = json!({
        "id": DEFINITION, "credentialType": MAKER, "attestations": [ATTESTATION], "jsonSchema": "{}",
        "format": "vc11-sl2021/jwt", "validity": 604_800, "rules": [],
        "mappings": [{"input": "membership", "output": "credentialSubject.membership", "required": true}],
    });
    let path = format!("{}/credentialdefinitions", scene.issuer_admin());
    scene.operator.create(DEFINITION, &path, &definition).await.expect("the issuer issues it");
    let profiles = "/api/mgmt/v5beta/dataspaceprofiles";
    let mut profile =
        scene.operator.get(&format!("{profiles}/{}", scene.dataspace.profile)).await.expect("the profile");
    profile["trustedIssuers"] = json!([{"@type": "TrustedIssuer", "@id": scene.dataspace.issuer,
        "supportedTypes": [CREDENTIAL, MAKER]}]);
    scene.operator.put(profiles, &profile).await.expect("the issuer is trusted for it");
    let context = json!(["https://w3id.org/edc/connector/management/v2"]);
    let expression = json!({
        "@context": context, "@type": "CelExpression", "@id": "manufacturer", "leftOperand": MAKER,
        "expression": "ctx.agent.claims.vc.valid().hasCredential(this.leftOperand)",
        "description": "The counter-party holds a valid ManufacturerCredential",
        "scopes": ["catalog", "contract.negotiation", "transfer.process"], "actions": [],
    });
    let path = "/api/mgmt/v5beta/celexpressions";
    scene.operator.create("manufacturer-expression", path, &expression).await.expect("policies may say it");
    let scope = json!({
        "@context": context, "@type": "DcpScope", "@id": "manufacturer", "type": "POLICY", "prefixMapping": MAKER,
        "value": format!("org.eclipse.dspace.dcp.vc.type:{MAKER}:read"), "profile": scene.dataspace.profile,
    });
    let path = "/api/mgmt/v5beta/dcpscopes";
    scene.operator.create("manufacturer-scope", path, &scope).await.expect("then it is asked for");
}

fn ids(catalog: &Value) -> Vec<&str> {
    let all = catalog["dataset"].as_array().map_or(&[][..], Vec::as_slice);
    let mut ids: Vec<&str> = all.iter().filter_map(|dataset| dataset["@id"].as_str()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_sees_all_but_what_asks_for_another_credential() {
    let server = Server::start("").await;
    let scene = Scene::found(&server.credentials(), "another").await;
    with_manufacturers(&scene).await;
    let provider = Party::new(&scene.operator, scene.onboard("provider").await);
    let member = Party::new(&scene.operator, scene.onboard("member").await);
    let mut maker = Party::new(&scene.operator, scene.onboard("maker").await);
    maker.obtain(&scene.dataspace.issuer, DEFINITION, MAKER).await;
    maker.shows = vec![format!("org.eclipse.dspace.dcp.vc.type:{MAKER}:read")];
    provider.offer_to(MEMBERS, CREDENTIAL).await;
    provider.offer_to(ASSET, MAKER).await;

    let catalog = maker.catalog(&provider.organisation).await;
    assert_eq!((catalog.status, ids(&catalog.body)), (200, vec![ASSET, MEMBERS]), "{:?}", catalog.body);
    let offer = maker.offer_of(&provider.organisation, ASSET).await.expect("it is offered");
    let ended = maker.negotiate(&provider.organisation, ASSET, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "{}", ended.negotiation);

    let catalog = member.catalog(&provider.organisation).await;
    assert_eq!((catalog.status, ids(&catalog.body)), (200, vec![MEMBERS]), "{:?}", catalog.body);
    let denied = Denied { party: &member, provider: &provider.organisation, asset: ASSET };
    denied.is_like_nothing(&offer, &[CREDENTIAL, MAKER]).await;
    let denials = denials_of(&provider.denials().await, "negotiation", ASSET);
    assert_eq!(times(&denials), 6, "{denials:?}");
    let missing =
        denials.iter().filter(|denial| denial["reason"].as_str().is_some_and(|r| r.contains(MAKER)));
    assert_eq!(times(missing), 4, "the real offer and its guessed name ask for it: {denials:?}");

    let offer = member.offer_of(&provider.organisation, MEMBERS).await.expect("it is offered");
    let ended = member.negotiate(&provider.organisation, MEMBERS, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "{}", ended.negotiation);
    server.stop().await;
}
