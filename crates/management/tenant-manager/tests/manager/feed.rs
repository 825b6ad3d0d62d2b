//! `GET /events`.

use axum::{body::Body, http::Request};
use heddle_auth::NewClient;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    server::{BASE, PATIENCE},
    world::World,
};

/// A client of the feed.
struct Feed {
    body: Body,
    text: String,
}

impl Feed {
    async fn open(world: &World, token: &str, query: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(format!("{BASE}/events{query}"));
        request = request.header("authorization", format!("Bearer {token}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = world.router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut feed = Self { body: response.into_body(), text: String::new() };
        assert!(feed.block().await.expect("a first line").starts_with(": open "));
        feed
    }

    /// The next event or comment; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.expect("something comes");
            let data = frame?.expect("infallible").into_data().expect("data");
            self.text += std::str::from_utf8(&data).expect("text");
        }
    }

    /// The next event: its data.
    async fn next(&mut self) -> Value {
        loop {
            let block = self.block().await.expect("no end");
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if let Some(data) = field("data: ") {
                let data: Value = serde_json::from_str(data).expect("JSON");
                assert_eq!(field("id: "), data["id"].as_str());
                assert_eq!(field("event: "), data["type"].as_str());
                return data;
            }
        }
    }
}

#[tokio::test]
async fn a_feed_begins_now_and_resumes_behind_what_was_seen() {
    let world = World::new().await;
    let before = world.new_tenant().await;
    let mut feed = Feed::open(&world, &world.reader, "", None).await;
    let (second, third) = (world.new_tenant().await, world.new_tenant().await);
    let event = feed.next().await;
    assert_eq!((&event["type"], &event["subject"]), (&json!("tenant.created"), &json!(second)));
    assert_eq!(event["payload"], json!({"tenantId": second}));
    assert!(event["at"].as_str().is_some_and(|at| at.ends_with('Z')));
    assert_eq!(event["traceId"].as_str().map(str::len), Some(32));
    let seen = event["id"].as_str().expect("text").to_owned();
    drop(feed);

    // What happened while nobody looked is there, by header and by query.
    let fourth = world.new_tenant().await;
    let by_header = Feed::open(&world, &world.operator, "?after=0", Some(&seen)).await;
    let by_query = Feed::open(&world, &world.operator, &format!("?after={seen}"), None).await;
    for mut feed in [by_header, by_query] {
        assert_eq!(
            [feed.next().await["subject"].clone(), feed.next().await["subject"].clone()],
            [third.as_str(), &fourth]
        );
    }
    let mut all = Feed::open(&world, &world.operator, "?after=0", None).await;
    assert_eq!(all.next().await["subject"], before.as_str());
    let nonsense = world.call("GET /events?after=x", None).await;
    assert_eq!(nonsense.error().0, 400);
}

#[tokio::test]
async fn a_tenant_sees_its_own_events_alone() {
    let mut world = World::new().await;
    world.dataspace().await;
    let (own, other) = (world.new_tenant().await, world.new_tenant().await);
    let token = world.server.token(&world.server.tenant(&own), NewClient::tenant()).await;
    let mut feed = Feed::open(&world, &token, "?after=0", None).await;
    world.active(&other, "did:web:other").await;
    world.active(&own, "did:web:own").await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let event = feed.next().await;
        assert_eq!(event["payload"]["tenantId"], own.as_str(), "{event}");
        seen.push(event["type"].as_str().expect("text").to_owned());
    }
    assert_eq!(seen, ["tenant.created", "participant.profile.pending", "participant.profile.active"]);
}

#[tokio::test]
async fn a_stop_ends_the_feed() {
    let world = World::new().await;
    let mut feed = Feed::open(&world, &world.reader, "", None).await;
    world.server.stop();
    assert_eq!(feed.block().await, None);
}
