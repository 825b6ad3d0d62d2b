//! No token that opens data lies in the clear on the disk of either party.

use std::{fs, path::Path};

use heddle_e2e::Market;

/// Whether any file of the embedded database, its log included, holds these bytes.
fn holds(data_dir: &Path, text: &str) -> bool {
    let entries = fs::read_dir(data_dir).expect("the data directory");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let database = files.filter(|path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("heddle.db"))
    });
    let bytes: Vec<Vec<u8>> = database.map(|path| fs::read(path).expect("readable")).collect();
    assert!(!bytes.is_empty(), "there is a database");
    bytes.iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_of_a_started_transfer_is_nowhere_in_the_database() {
    let market = Market::open("", "sealed").await;
    let Market { server, consumer, .. } = &market;
    let (transfer, key) = market.flow_of("the-sealed-asset").await;
    assert_eq!(key.status().await, 200, "the token is the one that counts");
    for known in ["the-sealed-asset", &transfer] {
        assert!(holds(server.data_dir(), known), "what is not secret is found: {known}");
    }
    assert!(!holds(server.data_dir(), &key.token));

    // A resumption brings another token by the same way.
    for (command, event) in [("suspend", "suspended"), ("resume", "started")] {
        consumer.steer(command, &transfer).await;
        consumer.hears(&format!("transfer.process.{event}"), &transfer).await;
    }
    let resumed = consumer.key(&transfer).await;
    assert_ne!(resumed.token, key.token);
    assert_eq!(resumed.status().await, 200);
    for token in [&key.token, &resumed.token] {
        assert!(!holds(server.data_dir(), token));
    }
    market.server.stop().await;
}
