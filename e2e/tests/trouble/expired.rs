//! A credential that has run out.

use std::time::Duration;

use heddle::demo::founding::DEFINITION;
use heddle_clock::{Environment, Timestamp};
use heddle_e2e::{Party, Scene, Server};
use serde_json::json;

use crate::{IMPATIENT, assert_ended};

/// How long credentials are valid here, in seconds: long enough to come on board with one.
const VALIDITY: u64 = 5;
/// How far the clocks of two parties may differ; so much longer an expired credential is honoured.
const LEEWAY: Duration = Duration::from_secs(5);

/// From now on, credentials are issued for [`VALIDITY`].
async fn issue_briefly(scene: &Scene) {
    let definitions = format!("{}/credentialdefinitions", scene.issuer_admin());
    let definition = scene.operator.get(&format!("{definitions}/{DEFINITION}")).await;
    let mut definition = definition.expect("it is defined");
    definition["validity"] = json!(VALIDITY);
    scene.operator.put(&definitions, &definition).await.expect("it is changed");
}

/// When the one credential in the wallet of a party runs out.
async fn expiry(party: &Party) -> Timestamp {
    let wallet = party.wallet().await;
    let text = &wallet[0]["verifiableCredential"]["credential"]["expirationDate"];
    text.as_str()
        .and_then(|text| Timestamp::parse_rfc3339(text).ok())
        .unwrap_or_else(|| panic!("an expiry: {wallet:?}"))
}

/// Lets the time pass; there is no event for it.
async fn past(moment: Timestamp) {
    let environment = Environment::system();
    while environment.now() < moment {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_credential_stops_the_negotiation_and_its_holder_reads_why() {
    let server = Server::start(IMPATIENT).await;
    let scene = Scene::found(server.credentials(), "expired").await;
    let provider = scene.onboard("weaver").await;
    provider.publish("cloth").await;
    issue_briefly(&scene).await;
    let consumer = scene.onboard("tailor").await;
    let offer = consumer.offer_of(&provider, "cloth").await.expect("it is still good");

    past(expiry(&consumer).await + LEEWAY).await;
    let (address, did) = (provider.organisation.protocol(), provider.organisation.did.clone());
    let id = consumer.ask((&address, &did), "cloth", &offer).await;
    // The provider answers as to any stranger; why is for the consumer to know.
    let words = ["answered 404", "the credential MembershipCredential", "it expired at "];
    assert_ended(&consumer, "contractnegotiations", &id, &words).await;

    // The wallet shows none that has run out (DCP 1.0, "Resolution API"), and that is what the provider saw.
    let denials = provider.denials().await;
    assert_eq!(denials.len(), 1, "{denials:?}");
    let denial = &denials[0];
    assert_eq!(denial["counterPartyId"], consumer.organisation.did, "{denials:?}");
    assert_eq!(denial["subject"], "cloth", "{denials:?}");
    assert!(
        denial["reason"].as_str().is_some_and(|reason| reason.contains("no presentation")),
        "{denials:?}"
    );
    assert!(provider.all("contractnegotiations").await.is_empty(), "there is no process");
    server.stop().await;
}
