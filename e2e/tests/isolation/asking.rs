//! Sends many requests at a time and gathers what is wrong with the answers.

use std::future::Future;

use futures::{StreamExt, stream};
use heddle_e2e::Seen;
use heddle_outbound::{Authorization, Body, Request};
use http::Method;
use serde_json::Value;

/// Requests that are under way at a time.
const AT_A_TIME: usize = 12;

/// One request: the method, the URL, the bearer token if there is one, and the body if there is one.
pub async fn ask(method: &str, url: &str, token: Option<&str>, body: Option<&Value>) -> Seen {
    let method: Method = method.parse().expect("a method");
    let request = Request::new(method, url);
    let request = match token {
        Some(token) => request.authorization(Authorization::bearer(token)),
        None => request,
    };
    Seen::of(match body {
        Some(body) => request.json_of(body),
        None => request.body(Body::Empty),
    })
    .await
}

/// Runs all checks, some at a time, and gives what they complain of.
pub async fn complaints<F: Future<Output = Vec<String>>>(checks: impl Iterator<Item = F>) -> Vec<String> {
    let found: Vec<Vec<String>> = stream::iter(checks).buffer_unordered(AT_A_TIME).collect().await;
    let mut found = found.concat();
    found.sort();
    found
}

/// Fails with all that was found.
#[track_caller]
pub fn assert_none(what: &str, found: &[String]) {
    let shown = found.iter().take(60).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(found.is_empty(), "{what}: {} complaints\n{shown}", found.len());
}
