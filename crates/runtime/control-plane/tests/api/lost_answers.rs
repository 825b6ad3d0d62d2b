//! A peer has taken a message, and its answer did not arrive or cannot be read.

use serde_json::{Value, json};

use crate::{
    process::{market_beside, offer, wanted},
    support::{DSP, Feed, PROFILE, Peer, World, data_plane_at, did, document, request as sent},
};

const P: &str = "/participants/provider";
const C: &str = "/participants/consumer";
/// Ids of the peer's processes.
pub const NEGOTIATION: &str = "urn:uuid:n";
pub const TRANSFER: &str = "urn:uuid:t";

/// The request of a peer for the one dataset of the market; its answer.
pub async fn request(world: &World, peer: &Peer) -> Value {
    let dataset = world.dsp("GET", "/catalog/datasets/data", "as other", None).await.is(200).json();
    let mut offer = dataset["hasPolicy"][0].clone();
    offer["@type"] = json!("Offer");
    offer["target"] = json!("data");
    let request = json!({"@context": [DSP], "@type": "ContractRequestMessage", "consumerPid": NEGOTIATION,
        "offer": offer, "callbackAddress": peer.url});
    world.dsp("POST", "/negotiations/request", "as other", Some(&request)).await.is(201).json()
}

/// A message of the peer about a process.
pub async fn tell(world: &World, path: &str, kind: &str, pids: (&Value, &str)) {
    let message = json!({"@context": [DSP], "@type": kind, "providerPid": pids.0, "consumerPid": pids.1});
    world.dsp("POST", path, "as other", Some(&message)).await.is(200);
}

/// The peer comes to an agreement and asks for the transfer; our id of that. `feed` is the provider's.
pub async fn request_transfer(world: &World, peer: &Peer, feed: &mut Feed) -> String {
    let id = request(world, peer).await["providerPid"].clone();
    feed.wait("contract.negotiation.agreed").await;
    let path = format!("/negotiations/{}/agreement/verification", id.as_str().expect("an id"));
    tell(world, &path, "ContractAgreementVerificationMessage", (&id, NEGOTIATION)).await;
    feed.wait("contract.negotiation.finalized").await;
    let agreement = &peer.calls("POST /negotiations/urn:uuid:n/agreement")[0]["agreement"]["@id"];
    let transfer = json!({"@context": [DSP], "@type": "TransferRequestMessage", "consumerPid": TRANSFER,
        "agreementId": agreement, "format": "HttpData-PULL", "callbackAddress": peer.url});
    let made = world.dsp("POST", "/transfers/request", "as other", Some(&transfer)).await.is(201).json();
    made["providerPid"].as_str().expect("an id").to_owned()
}

async fn kinds_of_trace(world: &World, path: &str, token: &str) -> Vec<Value> {
    let trace = world.ask("GET", &format!("{path}/trace"), token, None).await.is(200).json();
    trace["entries"].as_array().expect("entries").iter().map(|entry| entry["kind"].clone()).collect()
}

#[tokio::test]
async fn an_agreement_that_the_peer_has_taken_stands_although_it_refuses_its_repeat() {
    let peer = Peer::start().await;
    let (world, provider, _) = market_beside(&peer.url).await;
    peer.answers(|call, _| match call {
        "GET /negotiations/urn:uuid:n" => {
            (200, Peer::process("ContractNegotiation", ("p", NEGOTIATION), "AGREED"))
        }
        _ => (400, json!({"reason": "an agreement is not legal in AGREED"})),
    });
    let mut feed = Feed::open(&world, &format!("{P}/events"), &provider, None).await;
    let id = request(&world, &peer).await["providerPid"].clone();
    feed.wait("contract.negotiation.agreed").await;
    let path = format!("{P}/contractnegotiations/{}", id.as_str().expect("an id"));
    let shown = world.ask("GET", &path, &provider, None).await.is(200).json();
    assert_eq!(shown["state"], "AGREED");
    assert!(shown["contractAgreementId"].is_string(), "{shown}");
    assert!(kinds_of_trace(&world, &path, &provider).await.contains(&json!("peerState")));
    // The peer goes on.
    peer.answers(|_, _| (200, Value::Null));
    let path = format!("/negotiations/{}/agreement/verification", id.as_str().expect("an id"));
    tell(&world, &path, "ContractAgreementVerificationMessage", (&id, NEGOTIATION)).await;
    feed.wait("contract.negotiation.finalized").await;
}

#[tokio::test]
async fn a_message_that_the_peer_has_not_taken_ends_the_negotiation() {
    let peer = Peer::start().await;
    let (world, provider, _) = market_beside(&peer.url).await;
    peer.answers(|call, _| match call {
        "GET /negotiations/urn:uuid:n" => {
            (200, Peer::process("ContractNegotiation", ("p", NEGOTIATION), "REQUESTED"))
        }
        _ => (400, json!({"reason": "no such terms"})),
    });
    let mut feed = Feed::open(&world, &format!("{P}/events"), &provider, None).await;
    request(&world, &peer).await;
    let (_, event) = feed.wait("contract.negotiation.terminated").await;
    let reason = event["payload"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("400"), "{reason}");
}

#[tokio::test]
async fn a_first_answer_without_a_process_id_is_asked_for_again() {
    let peer = Peer::start().await;
    let (world, _, consumer) = market_beside(&peer.url).await;
    let mut answers = 0;
    peer.answers(move |call, body| {
        assert_eq!(call, "POST /negotiations/request");
        answers += 1;
        let consumer = body["consumerPid"].as_str().expect("an id");
        let whole = Peer::process("ContractNegotiation", ("urn:uuid:p", consumer), "REQUESTED");
        (201, if answers == 1 { json!({"state": "REQUESTED"}) } else { whole })
    });
    let mut feed = Feed::open(&world, &format!("{C}/events"), &consumer, None).await;
    let offer = json!({"@type": "Offer", "@id": "o", "assigner": did("other"), "target": "x",
        "permission": [{"action": "use"}]});
    let more = json!({"policy": offer, "counterPartyAddress": peer.url, "counterPartyId": did("other")});
    let path = format!("{C}/contractnegotiations");
    let made = world.ask("POST", &path, &consumer, Some(&wanted(&world, "ContractRequest", &more))).await;
    let path = format!("{path}/{}", made.is(200).json()["@id"].as_str().expect("an id"));
    feed.wait("contract.negotiation.requested").await;
    let shown = world.ask("GET", &path, &consumer, None).await.is(200).json();
    assert_eq!((&shown["state"], &shown["correlationId"]), (&json!("REQUESTED"), &json!("urn:uuid:p")));
    let calls = peer.calls("POST /negotiations/request");
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0], calls[1], "the repeat is the same message");
}

#[tokio::test]
async fn a_start_that_the_peer_has_taken_stands_although_it_refuses_its_repeat() {
    let peer = Peer::start().await;
    let (world, provider, _) = market_beside(&peer.url).await;
    let plane = data_plane_at(&peer.url, "dp", &json!(["HttpData-PULL"]));
    world.ask("PUT", &format!("{P}/dataplanes"), &provider, Some(&plane)).await.is(200);
    peer.answers(|call, _| match call {
        "POST /dataflows/start" => (200, json!({"state": "STARTED", "dataAddress": {
            "@type": "DataAddress", "endpointType": "https://w3id.org/idsa/v4.1/HTTP", "endpoint": "http://x.example"}})),
        "GET /transfers/urn:uuid:t" => (200, Peer::process("TransferProcess", ("p", TRANSFER), "STARTED")),
        "POST /transfers/urn:uuid:t/start" => (400, json!({"reason": "a start is not legal in STARTED"})),
        _ => (200, Value::Null),
    });
    let mut feed = Feed::open(&world, &format!("{P}/events"), &provider, None).await;
    request_transfer(&world, &peer, &mut feed).await;
    let (_, event) = feed.wait("transfer.process.started").await;
    let path = format!("{P}/transferprocesses/{}", event["subject"].as_str().expect("an id"));
    let shown = world.ask("GET", &path, &provider, None).await.is(200).json();
    assert_eq!(shown["state"], "STARTED");
    assert!(kinds_of_trace(&world, &path, &provider).await.contains(&json!("peerState")));
}

/// The provider has taken our request, its answer got lost, and its start comes: that tells its process id.
#[tokio::test]
async fn a_start_tells_the_process_id_that_the_lost_answer_would_have_told() {
    let peer = Peer::start().await;
    let (world, _, consumer) = market_beside(&peer.url).await;
    peer.answers(|call, _| match call {
        "POST /dataflows/prepare" => (200, json!({"state": "PREPARED"})),
        "POST /transfers/request" => (500, Value::Null),
        _ => (200, json!({"state": "STARTED"})),
    });
    let plane = data_plane_at(&peer.url, "dp", &json!(["HttpData-PULL"]));
    world.ask("PUT", &format!("{C}/dataplanes"), &consumer, Some(&plane)).await.is(200);
    let mut feed = Feed::open(&world, &format!("{C}/events"), &consumer, None).await;
    let wanted = |kind: &str, more: &Value| wanted(&world, kind, more);
    let body = wanted("ContractRequest", &json!({"policy": offer(&world, &consumer).await}));
    world.ask("POST", &format!("{C}/contractnegotiations"), &consumer, Some(&body)).await.is(200);
    let (_, event) = feed.wait("contract.negotiation.finalized").await;
    let agreement = &event["payload"]["contractAgreementId"];
    let more =
        json!({"contractId": agreement, "transferType": "HttpData-PULL", "counterPartyAddress": peer.url});
    let path = format!("{C}/transferprocesses");
    let made = world.ask("POST", &path, &consumer, Some(&wanted("TransferRequest", &more))).await.is(200);
    let id = made.json()["@id"].as_str().expect("an id").to_owned();
    peer.heard("POST /transfers/request").await;

    let start = json!({"@context": [DSP], "@type": "TransferStartMessage", "providerPid": "urn:uuid:theirs",
        "consumerPid": id, "dataAddress": {"@type": "DataAddress",
        "endpointType": "https://w3id.org/idsa/v4.1/HTTP", "endpoint": "http://x.example"}});
    let at = format!("/api/dsp/consumer/{PROFILE}/transfers/{id}/start");
    world.send(sent("POST", &at, "as provider", Some(&start))).await.is(200);
    feed.wait("transfer.process.started").await;
    let end = document("TerminateTransfer", json!({"reason": "enough"}));
    world.ask("POST", &format!("{path}/{id}/terminate"), &consumer, Some(&end)).await.is(204);
    peer.heard("POST /transfers/urn:uuid:theirs/termination").await;
}
