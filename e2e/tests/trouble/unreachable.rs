//! A counter-party that is away: it is asked again for a while, then given up; if it comes back, all goes on.

use heddle::demo::founding;
use heddle_e2e::{Fetched, Scene, Server, client, made_up_offer};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{assert_ended, market};

/// An address where nobody listens.
async fn deserted() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}/api/dsp/nobody", listener.local_addr().expect("an address"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_party_that_is_away_is_asked_again_and_then_given_up_with_its_address() {
    let market = market("away").await;
    let (address, did) = (deserted().await, market.provider.organisation.did.clone());
    let id = market.consumer.ask((&address, &did), "cloth", &made_up_offer("cloth")).await;
    let words = [address.as_str(), "cannot be reached", "given up after 4 attempts"];
    assert_ended(&market.consumer, "contractnegotiations", &id, &words).await;
    // The owner could see all the while what kept it.
    let trace = market.consumer.trace("contractnegotiations", &id).await;
    let entries = trace["entries"].as_array().expect("entries").iter();
    let attempts: Vec<&Value> = entries.filter(|entry| entry["kind"] == "unanswered").collect();
    let numbers: Vec<_> = attempts.iter().map(|entry| entry["attempt"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3)], "{attempts:?}");
    for entry in &attempts {
        assert_eq!(entry["message"], "ContractRequestMessage");
        assert!(entry["reason"].as_str().is_some_and(|reason| reason.contains(&address)), "{entry}");
    }
    // Each wait is longer than the one before: the shortest second wait is as long as the longest first one.
    let times: Vec<i64> = attempts.iter().map(|entry| entry["at"].as_i64().expect("a time")).collect();
    assert!(times[2] - times[1] >= 300 && times[1] - times[0] >= 150, "{times:?}");
    market.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_party_that_comes_back_is_found_again_and_nothing_is_lost() {
    let run = "back";
    let patient = "[peers]\nattempts = 15\n";
    let (mut there, here) = (Server::start("").await, Server::start(patient).await);
    let scene = Scene::found(there.credentials(), run).await;
    let provider = scene.onboard("weaver").await;
    let operator = client(here.credentials(), run);
    founding::join(&operator, &scene.dataspace).await.expect("the server knows the dataspace");
    let consumer = scene.onboard_by(&operator, "tailor").await;
    let digest = provider.publish("cloth").await;
    let offer = consumer.offer_of(&provider, "cloth").await.expect("it is offered");

    there.leave().await;
    // In its place is somebody who hangs up, so that it shows when the consumer has tried in vain.
    let authority = there.credentials().url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let listener = TcpListener::bind(&authority).await.expect("the address is free");
    let (address, did) = (provider.organisation.protocol(), provider.organisation.did.clone());
    let id = consumer.ask((&address, &did), "cloth", &offer).await;
    drop(listener.accept().await.expect("the consumer has tried"));
    drop(listener);
    assert_eq!(consumer.shown("contractnegotiations", &id).await["state"], "REQUESTING");
    there.come_back().await;
    let event = consumer.hears("contract.negotiation.finalized", &id).await;

    // One negotiation and one agreement on each side, and what was agreed on can be had.
    for party in [&provider, &consumer] {
        assert_eq!(party.all("contractnegotiations").await.len(), 1, "{}", party.organisation.name);
        assert_eq!(party.all("contractagreements").await.len(), 1, "{}", party.organisation.name);
    }
    let agreement = event.payload["contractAgreementId"].as_str().expect("an agreement");
    let transfer = consumer.transfer(&provider, "back", agreement).await;
    assert_eq!(consumer.key(&transfer).await.fetch().await, Fetched::Bytes(digest));
    there.leave().await;
}
