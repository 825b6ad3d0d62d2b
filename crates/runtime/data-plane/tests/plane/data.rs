//! What opens data, and what does not.

use axum::body::Body;
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::support::{Address, Answer, Site, World};

#[tokio::test]
async fn a_token_opens_its_own_flow_and_all_refusals_are_the_same() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    site.upload("file", "abc").await.expect(StatusCode::OK);
    let (a, b) = (site.start("urn:a/1", "file").await, site.start("urn:b/1", "file").await);
    assert_eq!(a.path, "/public/urn%3Aa%2F1");
    world.fetch(&a).await.expect(StatusCode::OK);
    let crossed = Address { path: b.path.clone(), token: a.token.clone() };
    let other = format!("hdl_dp_{}", "A".repeat(43));
    let mut answers = vec![world.fetch(&crossed).await];
    for (path, token) in [
        (a.path.as_str(), ""),
        (&a.path, "nonsense"),
        (&a.path, &other),
        ("/public/unknown", &a.token),
        ("/public/unknown", ""),
        ("/public/..%2Fx", &a.token),
    ] {
        answers.push(Answer::of(world.send("GET", path, token, Body::empty()).await).await);
    }
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.body, answers[0].body);
    }
    world.call("POST", &a.path, &a.token, &json!({})).await.expect(StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn nothing_opens_a_flow_that_is_held_or_over() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    site.upload("file", "abc").await.expect(StatusCode::OK);
    for (flow, signal) in [("f1", "suspend"), ("f2", "completed"), ("f3", "terminate")] {
        let address = site.start(flow, "file").await;
        world.fetch(&address).await.expect(StatusCode::OK);
        site.signal(&format!("{flow}/{signal}"), &json!({"messageId": "m2"})).await.expect(StatusCode::OK);
        world.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);
        let restarted = world.replica().await;
        restarted.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);
    }
    let address = site.start("f4", "file").await;
    world.replica().await.fetch(&address).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn a_download_under_way_is_cut_off() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    site.upload("file", vec![7_u8; 1_000_000]).await.expect(StatusCode::OK);
    for (flow, signal) in [("f1", "suspend"), ("f2", "terminate")] {
        let address = site.start(flow, "file").await;
        let response = world.send("GET", &address.path, &address.token, Body::empty()).await;
        let mut body = response.into_body();
        let first = body.frame().await.expect("a frame").expect("bytes").into_data().expect("data");
        assert!(first.len() <= 64 * 1024, "chunks are bounded: {}", first.len());
        site.signal(&format!("{flow}/{signal}"), &json!({"messageId": "m2"})).await.expect(StatusCode::OK);
        assert!(body.frame().await.expect("an end").is_err(), "{signal}: half is not taken for the whole");
        assert!(body.frame().await.is_none());
    }
}

#[tokio::test]
async fn a_new_upload_is_what_flows_from_then_on() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    site.upload("file", "old").await.expect(StatusCode::OK);
    let address = site.start("f", "file").await;
    assert_eq!(world.fetch(&address).await.body, "old");
    let other = world.replica().await;
    assert_eq!(other.fetch(&address).await.body, "old");
    site.upload("file", "newer").await.expect(StatusCode::OK);
    let data = world.fetch(&address).await.expect(StatusCode::OK);
    assert_eq!((&data.body[..], data.header("content-length")), (&b"newer"[..], "5"));
    assert_eq!(
        other.fetch(&address).await.expect(StatusCode::OK).body,
        "newer",
        "its bytes of before are gone"
    );
    site.own("DELETE", "sources/file", &Value::Null).await.expect(StatusCode::NO_CONTENT);
    world.fetch(&address).await.expect(StatusCode::BAD_GATEWAY);
}
