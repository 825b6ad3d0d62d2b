//! An organisation in the dataspace that holds no credential.

use heddle::demo::founding::CREDENTIAL;
use heddle_e2e::{Party, Scene, Server, postgres};
use serde_json::{Value, json};

use crate::{
    alike::{ABSENT, Denied},
    denials::{denials_of, times},
};

const ASSET: &str = "for-members";

struct Cast {
    provider: Party,
    member: Party,
    outsider: Party,
}

async fn cast(server: &Server) -> Cast {
    let scene = Scene::found(server.credentials(), "outsider").await;
    let provider = scene.onboard("provider").await;
    provider.publish(ASSET).await;
    let member = scene.onboard("member").await;
    let outsider = scene.onboard_without_credential("outsider").await;
    Cast { provider, member, outsider }
}

async fn a_member_sees_the_asset_and_negotiates_it(cast: &Cast) -> Value {
    let Cast { provider, member, .. } = cast;
    let dataset = member.dataset(provider, ASSET).await;
    assert_eq!((dataset.status, &dataset.body["@id"]), (200, &json!(ASSET)), "{:?}", dataset.body);
    let offer = member.offer_of(provider, ASSET).await.expect("the member is offered the asset");
    let ended = member.negotiate(provider, ASSET, &offer).await;
    assert_eq!(ended.state(), "FINALIZED", "{}", ended.negotiation);
    assert_eq!(provider.denials().await, Vec::<Value>::new(), "a member is not denied");
    offer
}

/// Nothing of the catalog is shown to somebody who lacks what every request in this dataspace needs.
async fn the_catalog_shows_nothing(cast: &Cast) {
    let catalog = cast.outsider.catalog(&cast.provider).await;
    assert_eq!((catalog.status, &catalog.body[0]["type"]), (502, &json!("BadGateway")), "{:?}", catalog.body);
    let message = catalog.body[0]["message"].as_str().expect("a message");
    assert!(message.contains("answered 404") && message.contains("CatalogError"), "{message}");
    assert!(!message.contains(ASSET) && !message.contains(CREDENTIAL), "{message}");
}

/// Each request of the outsider's left the provider a trace that says what was missing, and no process.
async fn the_provider_reads_why(cast: &Cast) {
    let Cast { provider, outsider, .. } = cast;
    assert_eq!(provider.all("contractnegotiations").await.len(), 1, "only the member's");
    let denials = provider.denials().await;
    let asked = denials_of(&denials, "negotiation", ASSET);
    assert_eq!(times(&asked), 6, "three by itself, three by its processes");
    assert_eq!(times(&denials_of(&denials, "negotiation", ABSENT)), 2);
    let shown = denials_of(&denials, "catalog", ASSET);
    assert_eq!(times(&shown), 2, "by itself, and over the Management API");
    for denial in asked.iter().chain(&shown) {
        assert_eq!(denial["counterPartyId"], outsider.organisation.did.as_str());
        let reason = denial["reason"].as_str().expect("a reason");
        assert!(reason.contains(CREDENTIAL), "{reason}");
        let checks = denial["entries"][0]["checks"].as_array().expect("its checks");
        let mut failed = checks.iter().filter_map(|check| check["verdict"]["failed"].as_str());
        assert!(failed.any(|detail| detail.contains(CREDENTIAL)), "{checks:?}");
    }
}

async fn play(settings: &str) {
    let server = Server::start(settings).await;
    let cast = cast(&server).await;
    let offer = a_member_sees_the_asset_and_negotiates_it(&cast).await;
    the_catalog_shows_nothing(&cast).await;
    let denied = Denied { party: &cast.outsider, provider: &cast.provider, asset: ASSET };
    denied.is_like_nothing(&offer, &[CREDENTIAL]).await;
    the_provider_reads_why(&cast).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_credential_there_is_nothing_on_sqlite() {
    play("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_credential_there_is_nothing_on_postgresql() {
    play(&postgres().await).await;
}
