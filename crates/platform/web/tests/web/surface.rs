//! Every refusal of a surface, over a socket, in the surface's own words.

use std::sync::{Arc, Mutex};

use crate::support::Server;
use axum::{
    Router,
    routing::{get, post},
};
use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_web::{
    Fabric, InFlight, Json, JsonBytes, Management, Path, Query, Refused, ServerLimits, Surface,
};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde::Deserialize;
use tokio::sync::Notify;

#[derive(Debug, Deserialize)]
struct Asset {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Page {
    limit: u32,
}

async fn create(Json(asset, ..): Json<Asset, Management>) -> Result<String, Refused<Management>> {
    Ok(asset.name)
}

async fn raw(JsonBytes(text, ..): JsonBytes<Management>) -> String {
    text.len().to_string()
}

async fn context(
    Path(id, ..): Path<ParticipantContextId, Management>,
    Query(page, ..): Query<Page, Management>,
) -> String {
    format!("{} {}", id, page.limit)
}

async fn panics() -> &'static str {
    panic!("the secret of the inside");
}

fn management() -> Router {
    let router = Router::new()
        .route("/assets", post(create))
        .route("/raw", post(raw))
        .route("/panic", get(panics))
        .route("/participants/{context}", get(context));
    Surface::<Management>::new("management", Environment::system()).body_bytes_max(100).finish(router)
}

async fn server() -> Server {
    let tenants =
        Router::new().route("/tenants", post(|Json(asset, ..): Json<Asset, Fabric>| async { asset.name }));
    let fabric = Surface::<Fabric>::new("tenant-manager", Environment::system()).finish(tenants);
    let router = Router::new().nest("/api/mgmt", management()).nest("/api/tm", fabric);
    Server::start(router, ServerLimits::default()).await
}

const JSON: &str = "content-type: application/json\r\n";

#[tokio::test]
async fn good_requests_reach_their_handlers() {
    let server = server().await;
    for media_type in ["application/json", "application/ld+json; charset=utf-8"] {
        let header = format!("content-type: {media_type}\r\n");
        let answer = server.ask("POST", "/api/mgmt/assets", &header, r#"{"name":"a"}"#).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "a"));
    }
    let answer = server.ask("POST", "/api/mgmt/raw", JSON, "[1,2]").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "5"));
    let answer = server.ask("GET", "/api/mgmt/participants/alice?limit=3", "", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "alice 3"));
}

#[tokio::test]
async fn refusals_are_an_array_of_the_management_api() {
    let server = server().await;
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(100));
    let long_id = format!("/api/mgmt/participants/{}?limit=1", "x".repeat(1025));
    let text = "content-type: text/plain\r\n";
    for (method, path, header, body, status, kind, pointer) in [
        ("POST", "/api/mgmt/assets", JSON, r#"{"name":1}"#, 400, "ValidationFailure", "\"/name\""),
        ("POST", "/api/mgmt/assets", JSON, "{}", 400, "ValidationFailure", "\"\""),
        ("POST", "/api/mgmt/assets", JSON, "{", 400, "InvalidRequest", "null"),
        ("POST", "/api/mgmt/assets", JSON, "", 400, "InvalidRequest", "null"),
        ("POST", "/api/mgmt/raw", JSON, "", 400, "InvalidRequest", "null"),
        ("POST", "/api/mgmt/assets", text, "{}", 415, "InvalidRequest", "null"),
        ("POST", "/api/mgmt/assets", JSON, &large, 413, "InvalidRequest", "null"),
        ("GET", "/api/mgmt/assets", "", "", 405, "InvalidRequest", "null"),
        ("GET", "/api/mgmt/nothing", "", "", 404, "ObjectNotFound", "null"),
        ("GET", "/api/mgmt/participants/alice?limit=x", "", "", 400, "InvalidRequest", "null"),
        ("GET", &long_id, "", "", 404, "ObjectNotFound", "null"),
        ("GET", "/api/mgmt/panic", "", "", 500, "InternalError", "null"),
    ] {
        let answer = server.ask(method, path, header, body).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
        let expected = format!("\",\"type\":\"{kind}\",\"path\":{pointer},\"invalidValue\":null}}]");
        assert!(
            answer.body.starts_with("[{\"message\":\"") && answer.body.ends_with(&expected),
            "{answer:?}"
        );
        assert!(!answer.body.contains("secret"), "{answer:?}");
    }
    let answer = server.ask("GET", "/api/mgmt/assets", "", "").await;
    assert_eq!(answer.header("allow"), Some("post"));
}

#[tokio::test]
async fn each_surface_has_its_own_words() {
    let server = server().await;
    let answer = server.ask("GET", "/api/tm/nothing", "", "").await;
    assert_eq!(answer.body, r#"{"error":"Not Found","message":"There is nothing at this path.","code":404}"#);
    let answer = server.ask("POST", "/api/tm/tenants", JSON, r#"{"name":[]}"#).await;
    assert!(answer.body.contains(r#""message":"/name: invalid type"#), "{answer:?}");
}

#[tokio::test]
async fn an_announced_length_is_refused_before_the_body_comes() {
    use tokio::io::AsyncWriteExt;
    let server = server().await;
    let mut stream = server.connect().await;
    let head =
        format!("POST /api/mgmt/assets HTTP/1.1\r\nhost: x\r\n{JSON}content-length: 1000000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    assert_eq!(crate::support::Answer::read(&mut stream).await.status, 413);
}

#[tokio::test]
async fn a_full_surface_says_when_to_come_back() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (entered, leave) = (entered.clone(), leave.clone());
        move || async move {
            entered.notify_one();
            leave.notified().await;
            "done"
        }
    };
    let router = Router::new().route("/slow", get(slow));
    let full =
        Surface::<Management>::new("full", Environment::system()).in_flight(InFlight::new(1)).finish(router);
    let router = Router::new().nest("/full", full).nest("/other", management());
    let server = Server::start(router, ServerLimits::default()).await;
    let first = async {
        let answer = server.ask("GET", "/full/slow", "", "").await;
        assert_eq!(answer.body, "done");
    };
    let second = async {
        entered.notified().await;
        let answer = server.ask("GET", "/full/slow", "", "").await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
        assert!(answer.body.contains("ServiceUnavailable"), "{answer:?}");
        let other = server.ask("POST", "/other/assets", JSON, r#"{"name":"a"}"#).await;
        assert_eq!(other.status, 200, "another surface has places of its own");
        leave.notify_one();
    };
    tokio::join!(first, second);
    leave.notify_one();
    assert_eq!(server.ask("GET", "/full/slow", "", "").await.status, 200, "the place was given back");
}

/// A recorder that keeps the labels of every counter.
#[derive(Default)]
struct Counters(Mutex<Vec<String>>);

impl Recorder for Counters {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        self.0.lock().expect("unpoisoned").push(labels.join(" "));
        Counter::noop()
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[tokio::test]
async fn strangers_cannot_make_time_series() {
    let counters = Counters::default();
    let _guard = metrics::set_default_local_recorder(&counters);
    let server = server().await;
    server.ask("PURGE", "/api/mgmt/whatever-1", "", "").await;
    server.ask("GET", "/api/mgmt/participants/alice?limit=3", "", "").await;
    let seen = counters.0.lock().expect("unpoisoned").clone();
    assert_eq!(
        seen,
        [
            "surface=management route=unmatched method=OTHER status=404",
            "surface=management route=/api/mgmt/participants/{context} method=GET status=200",
        ]
    );
}
