//! Processes in trouble: each ends with one clear sentence that its owner can read, and nothing is lost.

mod expired;
mod nobody;
mod sourceless;
mod unreachable;

use heddle_e2e::{Party, Scene, Server};
use serde_json::Value;

/// Patience that a test can outlast. The default takes half a minute, and two where a peer answers 404.
const IMPATIENT: &str = "[peers]\nattempts = 4\nrestart_seconds = 1\n";

/// A dataspace with a provider and a consumer.
struct Market {
    server: Server,
    scene: Scene,
    provider: Party,
    consumer: Party,
}

impl Market {
    async fn open(run: &str) -> Self {
        let server = Server::start(IMPATIENT).await;
        let scene = Scene::found(&server.credentials(), run).await;
        let (provider, consumer) =
            (Party::on_board(&scene, "weaver").await, Party::on_board(&scene, "tailor").await);
        Self { server, scene, provider, consumer }
    }
}

/// A process that has ended: why, in its own words, which its last event tells as well.
async fn assert_ended(party: &mut Party, collection: &str, id: &str, words: &[&str]) {
    let prefix = if collection == "transferprocesses" { "transfer.process" } else { "contract.negotiation" };
    let event = party.hears(&format!("{prefix}.terminated"), id).await;
    let shown = party.shown(collection, id).await;
    assert_eq!(shown["state"], "TERMINATED", "{shown}");
    let detail = shown["errorDetail"].as_str().unwrap_or_else(|| panic!("a reason is given: {shown}"));
    assert_eq!(event.payload["reason"], detail, "the event tells the same");
    for word in words {
        assert!(detail.contains(word), "'{word}' is missing: {detail}");
    }
}

/// The entries of a kind in the trace of a process.
async fn traced(party: &Party, collection: &str, id: &str, kind: &str) -> Vec<Value> {
    let path = format!("{}/{collection}/{id}/trace", party.organisation.management());
    let trace = party.client.get(&path).await.expect("the trace is shown");
    let entries = trace["entries"].as_array().expect("entries").iter();
    entries.filter(|entry| entry["kind"] == kind).cloned().collect()
}
