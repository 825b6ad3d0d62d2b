//! Replicas over one database: what one has closed, the others do not open.

use std::time::Duration;

use axum::body::Body;
use heddle_web::Shutdown;
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    origins::origin,
    support::{Address, Site, World},
};

/// Lets the time pass for which a look at the directory is good.
pub async fn later() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(501)).await;
    tokio::time::resume();
}

/// Waits until the store has told of everything that was committed.
pub async fn told(world: &World, context: &str, kind: &str) {
    let mut signal = world.store.signals().events();
    let scope = world.participant(context);
    loop {
        signal.mark_unchanged();
        let events = world.store.events(&scope, heddle_store::EventCursor(0), 1000).await.expect("events");
        if events.last().is_some_and(|event| event.kind == kind) {
            return;
        }
        signal.changed().await.expect("the store lives");
    }
}

#[tokio::test]
async fn what_one_replica_closes_the_other_does_not_open() {
    let world = World::start().await;
    let other = world.replica().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    site.upload("file", "abc").await.expect(StatusCode::OK);
    let address = site.start("f", "file").await;
    other.fetch(&address).await.expect(StatusCode::OK);
    site.signal("f/suspend", &json!({"messageId": "m2"})).await.expect(StatusCode::OK);
    told(&world, "alice", "data.flow.suspended").await;
    later().await;
    other.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);

    let resumed = site.signal("f/resume", &json!({"messageId": "m3"})).await.expect(StatusCode::OK).json();
    let new = Address::of(&resumed);
    told(&world, "alice", "data.flow.started").await;
    other.fetch(&new).await.expect(StatusCode::OK);
    later().await;
    other.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);

    site.signal("f/completed", &json!({})).await.expect(StatusCode::OK);
    told(&world, "alice", "data.flow.completed").await;
    later().await;
    other.fetch(&new).await.expect(StatusCode::UNAUTHORIZED);
}

/// Sends three bytes of four, and then nothing more.
async fn stuck_origin() -> String {
    origin(|mut stream, _| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabc").await.expect("taken");
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    })
    .await
}

#[tokio::test]
async fn a_download_at_one_replica_ends_by_a_signal_to_another() {
    let world = World::start().await;
    let other = world.replica().await;
    let (stop, shutdown) = Shutdown::pair();
    let following = tokio::spawn(other.plane.clone().follow(shutdown));
    let site = Site::new(&world, "alice", &json!({})).await;
    let url = stuck_origin().await;
    site.own("PUT", "sources/file", &json!({"baseUrl": url})).await.expect(StatusCode::OK);
    let address = site.start("f", "file").await;
    let response = other.send("GET", &address.path, &address.token, Body::empty()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    assert_eq!(body.frame().await.expect("a frame").expect("bytes").into_data().expect("data"), "abc");
    site.signal("f/terminate", &json!({"messageId": "m2"})).await.expect(StatusCode::OK);
    // Well before the client gives an origin up that stands still.
    let end = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.expect("it is cut off");
    assert!(end.expect("an end").is_err());
    stop.stop();
    following.await.expect("it ends");
}
