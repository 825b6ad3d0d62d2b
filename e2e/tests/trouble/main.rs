//! Processes in trouble: each ends with one clear sentence that its owner can read, and nothing is lost.

mod expired;
mod nobody;
mod sourceless;
mod unreachable;

use heddle_e2e::{Market, Party};

/// Patience that a test can outlast. The default takes half a minute, and two where a peer answers 404.
const IMPATIENT: &str = "[peers]\nattempts = 4\nrestart_seconds = 1\n";

async fn market(run: &str) -> Market {
    Market::open(IMPATIENT, run).await
}

/// A process that has ended: why, in its own words, which its last event tells as well.
async fn assert_ended(party: &Party, collection: &str, id: &str, words: &[&str]) {
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
