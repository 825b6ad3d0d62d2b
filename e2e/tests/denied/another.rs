//! A member that lacks the one credential that some assets ask for beside membership.

use heddle::demo::founding::{CREDENTIAL, expression, scope, scope_value};
use heddle_e2e::{Scene, Server};
use serde_json::Value;

use crate::{
    alike::Denied,
    denials::{denials_of, times},
};

const MAKER: &str = "ManufacturerCredential";
const DEFINITION: &str = "manufacturer";
const ASSET: &str = "for-makers";
const MEMBERS: &str = "for-members";

/// The dataspace knows manufacturers too: its issuer names them, policies may speak of them.
async fn with_manufacturers(scene: &Scene) {
    scene.also_issues(DEFINITION, MAKER).await;
    let expression = expression(DEFINITION, MAKER);
    let path = "/api/mgmt/v5beta/celexpressions";
    scene.operator.create("manufacturer-expression", path, &expression).await.expect("policies may say it");
    let scope = scope(&scene.dataspace, DEFINITION, MAKER, false);
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
    let scene = Scene::found(server.credentials(), "another").await;
    with_manufacturers(&scene).await;
    let provider = scene.onboard("provider").await;
    let member = scene.onboard("member").await;
    let mut maker = scene.onboard("maker").await;
    maker.obtain(&scene.dataspace.issuer, DEFINITION, MAKER).await;
    maker.shows = vec![scope_value(MAKER)];
    provider.offer(MEMBERS, (Some(CREDENTIAL), Some(CREDENTIAL))).await;
    provider.offer(ASSET, (Some(MAKER), Some(MAKER))).await;

    let catalog = maker.catalog(&provider).await;
    assert_eq!((catalog.status, ids(&catalog.body)), (200, vec![ASSET, MEMBERS]), "{:?}", catalog.body);
    let offer = maker.offer_of(&provider, ASSET).await.expect("it is offered");
    let ended = maker.negotiate(&provider, ASSET, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "{}", ended.negotiation);

    let catalog = member.catalog(&provider).await;
    assert_eq!((catalog.status, ids(&catalog.body)), (200, vec![MEMBERS]), "{:?}", catalog.body);
    let denied = Denied { party: &member, provider: &provider, asset: ASSET };
    denied.is_like_nothing(&offer, &[CREDENTIAL, MAKER]).await;
    let denials = denials_of(&provider.denials().await, "negotiation", ASSET);
    assert_eq!(times(&denials), 6, "{denials:?}");
    let missing =
        denials.iter().filter(|denial| denial["reason"].as_str().is_some_and(|r| r.contains(MAKER)));
    assert_eq!(times(missing), 4, "the real offer and its guessed name ask for it: {denials:?}");

    let offer = member.offer_of(&provider, MEMBERS).await.expect("it is offered");
    let ended = member.negotiate(&provider, MEMBERS, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "{}", ended.negotiation);
    server.stop().await;
}
