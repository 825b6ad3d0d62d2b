//! A participant that is disposed of through the Tenant Manager is gone from every plane, and whoever comes after it,
//! even under the same name, DID or participant context id, begins with nothing.

use std::{collections::BTreeSet, path::Path};

use futures::StreamExt;
use heddle::demo::{
    Client,
    feed::Feed,
    management::{query, typed},
    onboarding::Organisation,
};
use heddle_e2e::{Key, Market, client, postgres};
use heddle_outbound::Request;
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

const TM: &str = "/api/tm/v1alpha1";
const ASSET: &str = "the-asset";

/// Disposes of an organisation, as an operator does; returns when that is done.
async fn dispose(operator: &Client, organisation: &Organisation) {
    let tenants = operator.get(&format!("{TM}/tenants")).await.expect("the tenants");
    let tenant = tenants
        .as_array()
        .expect("a list")
        .iter()
        .find(|tenant| tenant["properties"]["did"] == organisation.did.as_str());
    let tenant = tenant.and_then(|tenant| tenant["id"].as_str()).expect("its tenant");
    let profiles = format!("{TM}/tenants/{tenant}/participant-profiles");
    let profile = operator.get(&profiles).await.expect("its profiles")[0]["id"].clone();
    let profile = profile.as_str().expect("an id");
    let mut feed = Feed::open(operator, &format!("{TM}/events")).await.expect("the feed opens");
    send(operator, Method::DELETE, &format!("{profiles}/{profile}")).await.expect("it is taken");
    let end = feed.wait("the profile ends", |event| {
        event.tells("participantProfileId", profile) && event.kind != "participant.profile.disposing"
    });
    let end = end.await.expect("it ends");
    assert_eq!(end.kind, "participant.profile.disposed", "{:?}", end.payload);
}

/// The status of a refusal, or the answer.
async fn send(client: &Client, method: Method, path: &str) -> Result<Value, u16> {
    let request = || Request::new(method.clone(), format!("{}{path}", client.base()));
    match client.send(request).await {
        Ok(answer) => Ok(answer.json().unwrap_or(Value::Null)),
        Err(error) => Err(error.status().unwrap_or_else(|| panic!("{error}"))),
    }
}

fn uploads(data_dir: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(data_dir.join("blobs")).into_iter().flatten();
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// What there is of somebody, over all APIs: how many assets, policies, offers, negotiations, agreements, transfers,
/// flows and credentials, and whether the asset has a source.
async fn possessions(client: &Client, context: &str, asset: &str) -> (Vec<usize>, bool) {
    let mut counts = Vec::new();
    let kinds = [
        "assets",
        "policydefinitions",
        "contractdefinitions",
        "contractnegotiations",
        "contractagreements",
        "transferprocesses",
    ];
    for kind in kinds {
        let path = format!("/api/mgmt/v5beta/participants/{context}/{kind}/request");
        let found = client.query(&path, &query(&[])).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        counts.push(found.as_array().expect("a list").len());
    }
    let plane = format!("/api/dataplane/v1/participants/{context}");
    for path in [format!("{plane}/flows"), format!("/api/identity/v1beta/participants/{context}/credentials")]
    {
        counts.push(client.get(&path).await.expect("a list").as_array().expect("a list").len());
    }
    (counts, send(client, Method::GET, &format!("{plane}/sources/{asset}")).await.is_ok())
}

/// Where a feed of events begins for who asks for what comes behind `last`, or for what is new.
async fn beginning(client: &Client, path: &str, last: Option<&'static str>) -> u64 {
    let request = || {
        let request = Request::get(format!("{}{path}", client.base())).accept("text/event-stream");
        match last {
            Some(last) => {
                request.header(HeaderName::from_static("last-event-id"), HeaderValue::from_static(last))
            }
            None => request,
        }
    };
    let mut feed = client.stream(request).await.expect("the feed opens");
    let opening = feed.next().await.expect("an opening").expect("bytes");
    let opening = String::from_utf8_lossy(&opening).into_owned();
    let place = opening.trim().strip_prefix(": open ").unwrap_or_else(|| panic!("{opening}"));
    place.lines().next().and_then(|place| place.parse().ok()).unwrap_or_else(|| panic!("{opening}"))
}

/// Makes a participant context of this id by hand, in every service.
async fn make_again(operator: &Client, context: &str) {
    let did = format!("{}-again", heddle::demo::founding::did_on(operator.base(), context));
    let body = json!({"@id": context, "identity": did, "state": "ACTIVATED"});
    let body = typed("ParticipantContext", body);
    operator.create("again-cp", "/api/mgmt/v5beta/participants", &body).await.expect("it is made");
    let key = json!({"keyId": format!("{did}#key-1"), "privateKeyAlias": "key-1",
        "keyGeneratorParams": {"algorithm": "EC", "curve": "secp256r1"}});
    let body = json!({"participantContextId": context, "did": did, "active": true, "keys": [key],
        "serviceEndpoints": []});
    operator.create("again-cs", "/api/identity/v1beta/participants", &body).await.expect("it is made");
    let body = json!({"controlplaneId": "control-plane", "endpoint": format!("{}/api/signaling/{context}", operator.base())});
    let planes = format!("/api/dataplane/v1/participants/{context}/controlplanes");
    operator.put(&planes, &body).await.expect("it is registered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_participant_that_was_disposed_of_leaves_nothing_behind_on_sqlite() {
    leaves_nothing_behind("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_participant_that_was_disposed_of_leaves_nothing_behind_on_postgresql() {
    leaves_nothing_behind(&postgres().await).await;
}

async fn leaves_nothing_behind(settings: &str) {
    let market = Market::open(settings, "removed").await;
    let (_, key) = market.flow_of(ASSET).await;
    let (server, operator) = (&market.server, &market.scene.operator);
    let (own, provider) = (&market.provider.client, &market.provider.organisation);
    assert_eq!(key.status().await, 200);
    let (counts, source) = possessions(own, &provider.context, ASSET).await;
    assert_eq!((counts, source), (vec![1, 2, 1, 1, 1, 1, 1, 1], true), "it has something to lose");
    assert_eq!(uploads(server.data_dir()).len(), 1);

    let told = beginning(operator, &format!("{TM}/events"), None).await;
    let feed = format!("/api/mgmt/v5beta/participants/{}/events", provider.context);
    assert!(beginning(own, &feed, Some("0")).await < told, "it has events to lose");
    dispose(operator, provider).await;

    assert_eq!(key.status().await, 401, "the token opens nothing");
    assert_eq!(uploads(server.data_dir()), BTreeSet::new());
    let context = &provider.context;
    for path in [
        format!("/api/mgmt/v5beta/participants/{context}"),
        format!("/api/identity/v1beta/participants/{context}"),
        format!("/api/dataplane/v1/participants/{context}/sources/{ASSET}"),
        "/provider-removed/did.json".to_owned(),
    ] {
        assert_eq!(send(operator, Method::GET, &path).await, Err(404), "{path}");
    }
    for path in [
        format!("/api/dataplane/v1/participants/{context}"),
        format!("/api/admin/v1beta/participants/{context}"),
        format!("/oauth/clients/{context}"),
    ] {
        assert_eq!(
            send(operator, Method::DELETE, &path).await,
            Err(404),
            "nothing is left to delete: {path}"
        );
    }
    let stale = provider.client(operator);
    assert_eq!(send(&stale, Method::GET, "/").await, Err(401), "its client proves nobody any more");
    // A token that it has yet has ended with it: it brings it back nowhere.
    let planes = format!("/api/dataplane/v1/participants/{context}/controlplanes");
    let plane = json!({"controlplaneId": "its-own", "endpoint": "http://127.0.0.1:1/cp"});
    assert_eq!(own.put(&planes, &plane).await.map_err(|error| error.status()), Err(Some(401)));
    let client = json!({"participantContextId": context});
    let client = own.create("comes-back", "/oauth/clients", &client).await;
    assert_eq!(client.map_err(|error| error.status()), Err(Some(401)));

    nobody_inherits(&market, &key, told).await;
    market.server.stop().await;
}

/// What the database itself holds of a participant, by kind.
fn kinds_of(database: &Path, context: &str) -> BTreeSet<String> {
    let query = format!("SELECT DISTINCT kind FROM aggregate WHERE owner = 'p:{context}'");
    heddle_store_sqlite::testing::read(database, &query).into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vault_keeps_nothing_of_a_participant_that_was_disposed_of() {
    let mut market = Market::open("", "forgotten").await;
    market.flow_of(ASSET).await;
    let database = market.server.data_dir().join("heddle.db");
    let context = market.provider.organisation.context.clone();
    market.server.leave().await;
    let before = kinds_of(&database, &context);
    assert!(before.contains("vault") && before.contains("asset"), "it has something to lose: {before:?}");
    market.server.come_back().await;
    dispose(&market.scene.operator, &market.provider.organisation).await;
    market.server.leave().await;
    let after = kinds_of(&database, &context);
    let memory: BTreeSet<String> = ["data-plane-participant", "issuer-standing"].map(str::to_owned).into();
    assert!(after.is_subset(&memory), "more is left than that it is gone: {after:?}");
}

/// Whoever comes after the provider, up to the place `told` of the feeds, begins with nothing.
async fn nobody_inherits(market: &Market, key: &Key, told: u64) {
    let (operator, provider) = (&market.scene.operator, &market.provider.organisation);
    let (context, stale) = (&provider.context, provider.client(operator));
    // The same name and DID.
    let second = client(market.server.credentials(), "removed-second");
    let again = market.scene.onboard_by(&second, "provider").await;
    assert_eq!(again.organisation.did, provider.did);
    let (counts, source) = possessions(&again.client, &again.organisation.context, ASSET).await;
    assert_eq!((counts, source), (vec![0, 0, 0, 0, 0, 0, 0, 1], false), "but for its new credential");

    // The same participant context id.
    make_again(operator, context).await;
    let (counts, source) = possessions(operator, context, ASSET).await;
    assert_eq!((counts, source), (vec![0; 8], false));
    for feed in [
        format!("/api/mgmt/v5beta/participants/{context}/events"),
        format!("/api/identity/v1beta/participants/{context}/events"),
    ] {
        assert!(
            beginning(operator, &feed, Some("0")).await > told,
            "what happened before is not its own: {feed}"
        );
    }
    assert_eq!(key.status().await, 401);
    assert_eq!(send(&stale, Method::GET, "/").await, Err(401));
}
