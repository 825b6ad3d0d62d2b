//! PostgreSQL that comes late, or goes and comes back, under a server that runs.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use heddle_outbound::OutboundError;
use heddle_store_postgres::testing::TestPostgres;
use serde_json::Value;

use crate::{
    api::Api,
    place::{Place, free_port},
    server::{Server, end},
};

fn configuration(url: &str, listen: &str) -> String {
    format!("data_dir = \"data\"\nlisten = \"{listen}\"\n[database]\nkind = \"postgres\"\nurl = \"{url}\"\n")
}

/// The lines of a log up to one that says that the database is waited for.
fn waiting<R: Read>(log: R) -> (String, BufReader<R>) {
    let mut log = BufReader::new(log);
    loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).expect("it is text") > 0, "it ends without a word");
        if line.contains("waits for it") {
            return (line, log);
        }
    }
}

/// A start that waits says why, without the password, and can be broken off.
pub fn waits_and_says(url: &str, parts: &[&str]) {
    let place = Place::new();
    place.file("heddle.toml", configuration(url, "127.0.0.1:0"));
    let mut command = place.command(&["start-dev", "--port", "0", "--config", "heddle.toml"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("heddle runs");
    let (line, mut log) = waiting(child.stderr.take().expect("it is piped"));
    let line: Value = serde_json::from_str(&line).expect("a line of the log");
    assert_eq!(line["level"], "WARN", "{line}");
    let reason = line["reason"].as_str().expect("a reason");
    for part in parts {
        assert!(reason.contains(part), "'{part}' is missing: {reason}");
    }
    assert!(!line.to_string().contains("s3cret"), "no password is told: {line}");
    end(child.id());
    let mut rest = String::new();
    log.read_to_string(&mut rest).expect("the log ends");
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "{rest}");
}

fn status(error: &OutboundError) -> Option<u16> {
    error.status().map(|status| status.as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_comes_late_is_waited_for_and_the_server_is_ready_without_a_restart() {
    let postgres = TestPostgres::start();
    let url = postgres.url();
    postgres.stop();
    let place = Place::new();
    let address = format!("127.0.0.1:{}", free_port());
    place.file("heddle.toml", configuration(&url, &address));
    let mut command = place.command(&["start-dev", "--config", "heddle.toml", "-o", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("heddle runs");
    let (line, mut log) = waiting(child.stderr.take().expect("it is piped"));
    assert!(line.contains("cannot be connected to"), "{line}");
    let outbound = heddle::demo::client::outbound(&heddle_clock::Environment::system()).expect("right");
    let ask = async |path: &str| {
        outbound.send(heddle_outbound::Request::get(format!("http://{address}{path}"))).await
    };
    ask("/health/liveness").await.expect("it lives");
    let readiness = ask("/health/readiness").await.expect_err("it is not ready");
    assert_eq!(status(&readiness), Some(503), "{readiness}");
    assert!(readiness.to_string().contains("database"), "{readiness}");
    let anything = ask("/api/tm/v1alpha1/tenants").await.expect_err("it cannot answer");
    assert!(
        matches!(&anything, OutboundError::Status { status, retry_after: Some(_), .. } if status.as_u16() == 503),
        "{anything:?}"
    );
    // What it writes until it has started must not fill the pipe.
    let reading = std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    postgres.restart();
    let mut started = String::new();
    let output = child.stdout.take().expect("it is piped");
    BufReader::new(output).read_line(&mut started).expect("it says that it has started");
    assert!(started.contains(&address), "{started}");
    ask("/health/readiness").await.expect("it is ready");
    end(child.id());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    reading.join().expect("the log ends").expect("it is readable");
}

/// What one writer has met.
#[derive(Default)]
struct Met {
    kept: Vec<String>,
    refused: Vec<OutboundError>,
}

/// Writes all the time; after every outage it must be able to write again.
async fn write(api: Api, outage: Arc<AtomicU32>, outages: u32) -> Met {
    let mut met = Met::default();
    // The number of the outages is even while the database is there.
    let mut seen_after = 0;
    while seen_after < outages {
        let before = outage.load(Ordering::SeqCst);
        match api.keep("under load").await {
            Ok(id) => {
                met.kept.push(id);
                if before.is_multiple_of(2) {
                    seen_after = before / 2;
                }
            }
            Err(error) => {
                let there = before.is_multiple_of(2) && outage.load(Ordering::SeqCst) == before;
                assert!(!there, "the database is there, and nevertheless: {error}");
                met.refused.push(error);
                // Clients wait before they try again; a shorter while than they are told, to meet more.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    met
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_postgresql_restarts_under_load_and_the_trouble_ends_with_it() {
    const OUTAGES: u32 = 2;
    let postgres = Arc::new(TestPostgres::start());
    let place = Place::new();
    let address = format!("127.0.0.1:{}", free_port());
    place.file("heddle.toml", configuration(&postgres.url(), &address));
    let server = Server::spawn(&place, &["start-dev", "--config", "heddle.toml"]);
    let api = Api::of(&server, &place.data()).await;
    let outage = Arc::new(AtomicU32::new(0));
    let writers: Vec<_> = (0..4).map(|_| tokio::spawn(write(api.clone(), outage.clone(), OUTAGES))).collect();
    for _ in 0..OUTAGES {
        api.keep("before an outage").await.expect("the database is there");
        let (postgres, outage) = (postgres.clone(), outage.clone());
        let restarted = tokio::task::spawn_blocking(move || {
            outage.fetch_add(1, Ordering::SeqCst);
            postgres.restart();
            outage.fetch_add(1, Ordering::SeqCst);
        });
        restarted.await.expect("it is there again");
    }
    let mut kept = Vec::new();
    for writer in writers {
        let met = tokio::time::timeout(Duration::from_secs(120), writer).await.expect("it goes on");
        let met = met.expect("it met nothing that it should not");
        for error in &met.refused {
            assert!(
                matches!(error, OutboundError::Status { status, retry_after: Some(_), .. } if status.as_u16() == 503),
                "{error:?}"
            );
        }
        kept.extend(met.kept);
    }
    assert!(kept.len() > 8, "there was load: {}", kept.len());
    api.has_kept(&kept).await;
    assert!(server.is_ready(&place));
    server.stop();
    let log = fs::read_to_string(place.path("server.log")).expect("a log");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn an_address_that_somebody_else_has_is_told_at_once_though_the_database_is_away() {
    let holder = TcpListener::bind("127.0.0.1:0").expect("free");
    let address = holder.local_addr().expect("bound").to_string();
    let place = Place::new();
    place.file("heddle.toml", configuration("postgres://heddle@127.0.0.1:1/heddle", &address));
    place.run(&["start-dev", "--config", "heddle.toml"]).says(&["is in use", "choose another port"]);
}
