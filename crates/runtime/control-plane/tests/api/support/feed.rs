//! A client of server-sent events.

use std::time::Duration;

use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::{BASE, World, request};

/// How long an event may take to come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A feed of events; `next` waits for one that fits.
pub struct Feed {
    body: axum::body::Body,
    text: String,
}

impl Feed {
    /// The feed at `path` below the Management API, after the place `after`.
    pub async fn open(world: &World, path: &str, token: &str, after: Option<&str>) -> Self {
        let mut request = request("GET", &format!("{BASE}{path}"), &format!("Bearer {token}"), None);
        if let Some(after) = after {
            request.headers_mut().insert("last-event-id", after.parse().expect("a value"));
        }
        let response = world.router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event's id and data.
    pub async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
                    return (id, serde_json::from_str(&data).expect("JSON"));
                }
                continue;
            }
            let frame = self.body.frame().await.expect("a feed does not end").expect("infallible");
            self.text += std::str::from_utf8(&frame.into_data().expect("data")).expect("text");
        }
    }

    /// Waits for the end of the feed; what came before it.
    pub async fn rest(mut self) -> String {
        let end = async {
            while let Some(frame) = self.body.frame().await {
                self.text += std::str::from_utf8(&frame.expect("infallible").into_data().expect("data"))
                    .expect("text");
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("it ends");
        self.text
    }

    /// The next event of this type; says what came instead.
    pub async fn wait(&mut self, kind: &str) -> (String, Value) {
        let mut seen = Vec::new();
        let found = async {
            loop {
                let (id, event) = self.next().await;
                if event["type"] == kind {
                    return (id, event);
                }
                seen.push(event.to_string());
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found,
            Err(_) => panic!("no {kind}; there were {seen:#?}"),
        }
    }
}
