//! How many series `/metrics` has does not depend on how many participants there are.

use std::{path::Path, time::Duration};

use futures::{StreamExt, stream};
use heddle::{
    config,
    demo::{Client, client::outbound, management::typed},
    server,
};
use heddle_clock::Environment;
use serde_json::json;

const PARTICIPANTS: usize = 1_000;
/// Requests at a time.
const AT_ONCE: usize = 16;

fn series() -> usize {
    server::metrics_text().lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count()
}

/// Makes participants and has each asked for its assets.
async fn participants(client: &Client, numbers: std::ops::Range<usize>) {
    stream::iter(numbers)
        .for_each_concurrent(AT_ONCE, async |number| {
            let id = format!("participant-{number}");
            let identity = format!("did:web:example.org:{id}");
            let body = typed("ParticipantContext", json!({"@id": id, "identity": identity}));
            client.create(&id, "/api/mgmt/v5beta/participants", &body).await.expect("it is made");
            let path = format!("/api/mgmt/v5beta/participants/{id}");
            client.get(&path).await.expect("it is shown");
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_participants_make_no_series_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "development = true\nlisten = \"127.0.0.1:0\"\n[telemetry]\ncensus_seconds = 1\n";
    let configuration = config::parse(text, Path::new("heddle.toml"), folder.path()).expect("legal");
    let running = server::start(configuration).await.expect("it starts");
    let credentials = running.credentials().expect("they are generated").clone();
    let environment = Environment::system();
    let client = Client::new(outbound(&environment).expect("a client"), environment, credentials, "series");
    participants(&client, 0..10).await;
    // Rows are counted every second: what the count shows is not for the participants to answer for.
    let counted = async {
        while !server::metrics_text().contains("heddle_tenants ") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), counted).await.expect("rows are counted");
    let before = series();
    participants(&client, 10..PARTICIPANTS).await;
    let after = series();
    // Rare outcomes and kinds of jobs may come for the first time, a histogram of 17 series each. A label that names
    // participants makes 990 at least.
    assert!(after < before + 200, "{before} series became {after}:\n{}", server::metrics_text());
    assert!(!server::metrics_text().contains("participant-7"), "no label names a participant");
    running.stop().await;
}
