//! Data stops when it is to stop, whatever the peer and the data plane do, and is told to have stopped when it has.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use heddle_control_plane::Patience;
use serde_json::{Value, json};

use crate::{
    lost_answers::{TRANSFER, request_transfer, tell},
    process::{market_with, offer, wanted},
    support::{Feed, Peer, World, data_plane_at, document},
};

const P: &str = "/participants/provider";
const C: &str = "/participants/consumer";

/// A provider whose consumer and whose data plane the test plays.
struct Scene {
    world: World,
    provider: String,
    peer: Peer,
    feed: Feed,
    /// The provider's id of the transfer.
    id: String,
}

impl Scene {
    /// With a transfer that the consumer has asked for. `script` answers what it does not leave to the usual.
    async fn new(script: impl FnMut(&str) -> Option<(u16, Value)> + Send + 'static) -> Self {
        Self::with(Patience::default(), script).await
    }

    async fn with(
        patience: Patience,
        mut script: impl FnMut(&str) -> Option<(u16, Value)> + Send + 'static,
    ) -> Self {
        let peer = Peer::start().await;
        let (world, provider, _) = market_with(&peer.url, patience).await;
        let plane = data_plane_at(&peer.url, "dp", &json!(["HttpData-PULL"]));
        world.ask("PUT", &format!("{P}/dataplanes"), &provider, Some(&plane)).await.is(200);
        peer.answers(move |call, _| script(call).unwrap_or_else(|| usual(call)));
        let mut feed = Feed::open(&world, &format!("{P}/events"), &provider, None).await;
        let id = request_transfer(&world, &peer, &mut feed).await;
        Self { world, provider, peer, feed, id }
    }

    async fn command(&self, name: &str) -> u16 {
        let kind = if name == "terminate" { "TerminateTransfer" } else { "SuspendTransfer" };
        let body = document(kind, json!({"reason": "enough"}));
        let path = format!("{P}/transferprocesses/{}/{name}", self.id);
        self.world.ask("POST", &path, &self.provider, Some(&body)).await.status.as_u16()
    }

    async fn shown(&self) -> Value {
        let path = format!("{P}/transferprocesses/{}", self.id);
        self.world.ask("GET", &path, &self.provider, None).await.is(200).json()
    }

    /// A message of the consumer.
    async fn tell(&self, name: &str, kind: &str) {
        let path = format!("/transfers/{}/{name}", self.id);
        tell(&self.world, &path, kind, (&json!(self.id), TRANSFER)).await;
    }

    /// The path of a call to the data plane.
    fn flow(&self, name: &str) -> String {
        format!("POST /dataflows/{}/{name}", self.id)
    }
}

/// A data plane that does what it is told, and a consumer that takes everything.
fn usual(call: &str) -> (u16, Value) {
    let started = json!({"state": "STARTED", "dataAddress": {"@type": "DataAddress",
        "endpointType": "https://w3id.org/idsa/v4.1/HTTP", "endpoint": "http://x.example"}});
    match call {
        _ if call.ends_with("/status") => (404, Value::Null),
        "POST /dataflows/start" => (200, started),
        _ if call.starts_with("POST /dataflows/") && call.ends_with("/resume") => (200, started),
        _ => (200, Value::Null),
    }
}

/// Answers so the first `times` that a call ends like this.
fn fails(
    end: &'static str,
    status: u16,
    times: u32,
) -> impl FnMut(&str) -> Option<(u16, Value)> + Send + 'static {
    let mut failed = 0;
    move |call| {
        (call.starts_with("POST /dataflows/") && call.ends_with(end) && failed < times).then(|| {
            failed += 1;
            (status, Value::Null)
        })
    }
}

/// The consumer has the token and asks for an hour's patience with the start that brought it.
async fn start_held_back() -> Scene {
    let scene = Scene::new(|call| (call == "POST /transfers/urn:uuid:t/start").then_some((503, Value::Null)));
    let scene = scene.await;
    scene.peer.heard("/transfers/urn:uuid:t/start").await;
    scene
}

#[tokio::test]
async fn a_peer_that_lets_our_start_wait_does_not_hold_up_its_owners_stop() {
    let scene = start_held_back().await;
    assert_eq!(scene.command("terminate").await, 204);
    scene.peer.heard(&scene.flow("terminate")).await;
}

#[tokio::test]
async fn a_peer_that_lets_our_start_wait_does_not_hold_up_its_own_termination() {
    let mut scene = start_held_back().await;
    scene.tell("termination", "TransferTerminationMessage").await;
    scene.feed.wait("transfer.process.terminated").await;
    assert_eq!(scene.peer.calls(&scene.flow("terminate")).len(), 1);
}

#[tokio::test]
async fn a_peer_that_lets_our_start_wait_does_not_hold_up_its_own_suspension() {
    let mut scene = start_held_back().await;
    scene.tell("suspension", "TransferSuspensionMessage").await;
    scene.feed.wait("transfer.process.suspended").await;
    assert_eq!(scene.peer.calls(&scene.flow("suspend")).len(), 1);
    // The next message does not wait behind the one that the peer has answered by its own.
    assert_eq!(scene.command("terminate").await, 204);
    scene.feed.wait("transfer.process.terminated").await;
    assert_eq!(scene.peer.calls("POST /transfers/urn:uuid:t/termination").len(), 1);
}

#[tokio::test]
async fn a_message_that_is_given_up_ends_the_flow_before_anybody_is_told() {
    let mut fails = fails("/terminate", 500, 1);
    let mut scene = Scene::new(move |call| match call {
        "POST /transfers/urn:uuid:t/start" => Some((400, Value::Null)),
        "GET /transfers/urn:uuid:t" => {
            Some((200, Peer::process("TransferProcess", ("p", TRANSFER), "REQUESTED")))
        }
        _ => fails(call),
    })
    .await;
    scene.feed.wait("transfer.process.terminated").await;
    let terminate = scene.flow("terminate");
    assert_eq!(scene.peer.calls(&terminate).len(), 2, "the event comes when the data plane has been told");
    scene.peer.heard("/transfers/urn:uuid:t/termination").await;
    let order = scene.peer.order(&["/terminat"]);
    assert_eq!(order, [&terminate, &terminate, "POST /transfers/urn:uuid:t/termination"]);
}

#[tokio::test]
async fn an_end_that_is_observed_at_the_peer_is_told_when_the_flow_has_ended() {
    let mut fails = fails("/terminate", 500, 1);
    let mut scene = Scene::new(move |call| match call {
        "POST /transfers/urn:uuid:t/start" => Some((400, Value::Null)),
        "GET /transfers/urn:uuid:t" => {
            Some((200, Peer::process("TransferProcess", ("p", TRANSFER), "TERMINATED")))
        }
        _ => fails(call),
    })
    .await;
    scene.feed.wait("transfer.process.terminated").await;
    assert_eq!(scene.peer.calls(&scene.flow("terminate")).len(), 2);
}

#[tokio::test]
async fn a_stop_that_the_data_plane_refuses_goes_out_until_it_is_taken_and_only_then_is_told() {
    let mut scene = Scene::new(fails("/terminate", 403, 3)).await;
    scene.feed.wait("transfer.process.started").await;
    scene.tell("termination", "TransferTerminationMessage").await;
    assert_eq!(scene.shown().await["state"], "TERMINATED");
    scene.feed.wait("transfer.process.terminated").await;
    assert_eq!(scene.peer.calls(&scene.flow("terminate")).len(), 4);
}

#[tokio::test]
async fn a_peer_hears_of_a_stop_that_the_data_plane_goes_on_missing() {
    let reached = Arc::new(AtomicU32::new(403));
    let status = reached.clone();
    let mut scene = Scene::new(move |call| {
        let status = u16::try_from(status.load(Ordering::SeqCst)).expect("a status");
        (call.ends_with("/suspend")).then_some((status, Value::Null))
    })
    .await;
    scene.feed.wait("transfer.process.started").await;
    assert_eq!(scene.command("suspend").await, 204);
    scene.peer.heard("/transfers/urn:uuid:t/suspension").await;
    // Nobody goes on before that is told, and the peer may end it at any time.
    reached.store(200, Ordering::SeqCst);
    scene.feed.wait("transfer.process.suspended").await;
    let order = scene.peer.order(&["/suspen"]);
    let (first, last) = (order.first().expect("calls"), order.last().expect("calls"));
    assert_eq!((first, last), (&scene.flow("suspend"), &scene.flow("suspend")), "{order:?}");
}

#[tokio::test]
async fn a_transfer_is_not_resumed_before_its_data_has_stopped() {
    let scene = Scene::new(fails("/suspend", 403, u32::MAX)).await;
    scene.peer.heard("/transfers/urn:uuid:t/start").await;
    scene.tell("suspension", "TransferSuspensionMessage").await;
    scene.peer.heard("/status").await;
    // The refusal is written down a moment after it was heard.
    while scene.shown().await["errorDetail"].as_str().is_none_or(|detail| !detail.contains("403")) {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.command("resume").await, 409);
    scene.tell("termination", "TransferTerminationMessage").await;
    scene.peer.heard(&scene.flow("terminate")).await;
}

#[tokio::test]
async fn a_refused_stop_counts_when_the_data_plane_shows_that_it_has_stopped() {
    let mut scene = Scene::new(|call| match call {
        _ if call.ends_with("/terminate") => Some((409, Value::Null)),
        _ if call.ends_with("/status") => Some((200, json!({"dataFlowId": "x", "state": "TERMINATED"}))),
        _ => None,
    })
    .await;
    scene.feed.wait("transfer.process.started").await;
    scene.tell("termination", "TransferTerminationMessage").await;
    scene.feed.wait("transfer.process.terminated").await;
    assert_eq!(scene.peer.calls(&scene.flow("terminate")).len(), 1);
}

#[tokio::test]
async fn a_data_plane_that_is_not_registered_any_more_is_not_waited_for() {
    let mut scene = Scene::new(fails("/terminate", 403, u32::MAX)).await;
    scene.feed.wait("transfer.process.started").await;
    scene.tell("termination", "TransferTerminationMessage").await;
    scene.peer.heard(&scene.flow("terminate")).await;
    scene.world.ask("DELETE", &format!("{P}/dataplanes/dp"), &scene.provider, None).await.is(200);
    scene.feed.wait("transfer.process.terminated").await;
}

/// A data plane that is still at work, for ever.
fn at_work(call: &str) -> Option<(u16, Value)> {
    match call {
        "POST /dataflows/start" => Some((202, json!({"state": "STARTING"}))),
        "POST /dataflows/prepare" => Some((202, json!({"state": "PREPARING"}))),
        _ => None,
    }
}

#[tokio::test]
async fn a_peer_ends_a_transfer_whose_data_plane_never_calls_back() {
    let mut scene = Scene::new(at_work).await;
    scene.peer.heard("/dataflows/start").await;
    scene.tell("termination", "TransferTerminationMessage").await;
    scene.feed.wait("transfer.process.terminated").await;
    assert_eq!(scene.peer.calls(&scene.flow("terminate")).len(), 1);
}

#[tokio::test]
async fn the_owner_ends_a_transfer_whose_data_plane_never_calls_back() {
    let mut scene = Scene::new(at_work).await;
    scene.peer.heard("/dataflows/start").await;
    assert_eq!(scene.command("terminate").await, 204);
    scene.feed.wait("transfer.process.terminated").await;
    let order = scene.peer.order(&["/terminat"]);
    assert_eq!(order, [&scene.flow("terminate"), "POST /transfers/urn:uuid:t/termination"]);
}

#[tokio::test]
async fn a_data_plane_that_does_not_call_back_in_time_has_failed() {
    let patience = Patience { callbacks: Duration::ZERO, ..Patience::default() };
    let mut scene = Scene::with(patience, at_work).await;
    let (_, event) = scene.feed.wait("transfer.process.terminated").await;
    let reason = event["payload"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("dp fails: it has accepted the start and not called back"), "{reason}");
    scene.peer.heard(&scene.flow("terminate")).await;
    assert_eq!(scene.peer.calls("POST /transfers/urn:uuid:t/termination").len(), 1);
}

#[tokio::test]
async fn a_start_that_fails_is_ended_at_the_data_plane_too() {
    let mut scene = Scene::new(fails("/start", 403, u32::MAX)).await;
    scene.feed.wait("transfer.process.terminated").await;
    scene.peer.heard(&scene.flow("terminate")).await;
}

#[tokio::test]
async fn a_resumption_that_fails_is_ended_at_the_data_plane_before_that_is_told() {
    let mut resumes = fails("/resume", 403, u32::MAX);
    let mut ends = fails("/terminate", 500, 1);
    let mut scene = Scene::new(move |call| resumes(call).or_else(|| ends(call))).await;
    scene.feed.wait("transfer.process.started").await;
    assert_eq!(scene.command("suspend").await, 204);
    scene.feed.wait("transfer.process.suspended").await;
    assert_eq!(scene.command("resume").await, 204);
    scene.feed.wait("transfer.process.terminated").await;
    assert_eq!(scene.peer.calls(&scene.flow("terminate")).len(), 2);
}

/// The owner of a consumer's transfer, whose data plane is preparing, so that the provider knows of nothing.
#[tokio::test]
async fn a_transfer_that_nobody_has_been_asked_for_is_ended_by_its_owner() {
    let peer = Peer::start().await;
    let (world, _, consumer) = market_with(&peer.url, Patience::default()).await;
    peer.answers(|call, _| at_work(call).unwrap_or_else(|| usual(call)));
    let plane = data_plane_at(&peer.url, "dp", &json!(["HttpData-PULL"]));
    world.ask("PUT", &format!("{C}/dataplanes"), &consumer, Some(&plane)).await.is(200);
    let mut feed = Feed::open(&world, &format!("{C}/events"), &consumer, None).await;
    let request = wanted(&world, "ContractRequest", &json!({"policy": offer(&world, &consumer).await}));
    world.ask("POST", &format!("{C}/contractnegotiations"), &consumer, Some(&request)).await.is(200);
    let (_, event) = feed.wait("contract.negotiation.finalized").await;
    let more =
        json!({"contractId": event["payload"]["contractAgreementId"], "transferType": "HttpData-PULL"});
    let path = format!("{C}/transferprocesses");
    let request = wanted(&world, "TransferRequest", &more);
    let made = world.ask("POST", &path, &consumer, Some(&request)).await.is(200).json();
    let id = made["@id"].as_str().expect("an id");
    let state = async || {
        let path = format!("{path}/{id}/state");
        world.ask("GET", &path, &consumer, None).await.is(200).json()["state"].clone()
    };
    // The data plane has accepted it, and that is written down.
    while state().await != "PREPARATION_REQUESTED" {
        tokio::task::yield_now().await;
    }
    let end = document("TerminateTransfer", json!({"reason": "enough"}));
    world.ask("POST", &format!("{path}/{id}/terminate"), &consumer, Some(&end)).await.is(204);
    let (_, event) = feed.wait("transfer.process.terminated").await;
    assert_eq!(event["payload"]["reason"], "enough");
    assert_eq!(peer.calls(&format!("POST /dataflows/{id}/terminate")).len(), 1);
    assert_eq!(
        world.ask("GET", &format!("{path}/{id}"), &consumer, None).await.json()["state"],
        "TERMINATED"
    );
}
