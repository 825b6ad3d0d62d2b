//! How many requests each surface works on at a time.

use futures::future::select_all;
use tokio::time::timeout;

use crate::{
    client::{Client, get},
    server::{PATIENCE, Place, Server},
};

/// A surface that is full says so; every other one answers as ever.
#[tokio::test]
async fn one_surface_that_is_full_does_not_stop_another() {
    let place = Place::new();
    let server = Server::start(&place, "listen = \"127.0.0.1:0\"\n[http.in_flight]\ndsp-catalog = 2\n");
    let address = server.address();
    let path = "/api/dsp/a/2025-1/catalog/request";
    // Three clients whose bodies do not come. Two of them are let in and wait; the third is answered.
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n"
    );
    let mut holders = Vec::new();
    for _ in 0..3 {
        let mut holder = Client::connect(address).await;
        holder.send(&head).await;
        holders.push(holder);
    }
    let first = select_all(holders.iter_mut().map(|holder| Box::pin(holder.read())));
    let (full, ..) = timeout(PATIENCE, first).await.expect("one of them is answered");
    let full = full.expect("an answer");
    assert_eq!(full.status, 503, "{full:?}");
    assert!(full.head.contains("\r\nretry-after: 1"), "{full:?}");
    assert!(full.body.contains("CatalogError"), "in the surface's own words: {full:?}");
    for (path, status) in [
        ("/api/dsp/a/2025-1/negotiations/x", 404),
        ("/api/mgmt/v5beta/participants", 401),
        ("/api/credentials/v1/participants/a/presentations/query", 405),
        ("/oauth/jwks", 200),
        ("/a/did.json", 404),
        ("/health/readiness", 200),
    ] {
        assert_eq!(get(address, path).await.status, status, "{path}");
    }
    drop(holders);
}

/// A request of the Dataspace Protocol waits for presentations, DID documents and status lists of the same listener. With
/// one place in each surface the whole story is told: the places are each surface's own.
#[test]
fn a_request_that_waits_for_a_presentation_of_the_same_listener_gets_it() {
    let place = Place::new();
    let one = [
        "dsp-catalog",
        "dsp-negotiation",
        "dsp-transfer",
        "credentials",
        "status-list",
        "issuance",
        "signaling",
    ];
    let places: String = one.iter().map(|surface| format!("{surface} = 1\n")).collect();
    let server = Server::start(&place, &format!("listen = \"127.0.0.1:0\"\n[http.in_flight]\n{places}"));
    let output =
        place.command(&["demo", "--server", &server.url, "-o", "json"]).output().expect("heddle runs");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), place.log());
}
