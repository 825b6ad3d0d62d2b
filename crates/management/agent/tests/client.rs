//! The client of Administration APIs against a service that can be told what to answer.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Request as Incoming, State},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{any, post},
};
use heddle_agent::{ActivityResult, AdminClient, AdminCredentials, CallError, Existing};
use heddle_clock::{Environment, FixedClock, SystemRng, Timestamp};
use heddle_outbound::{Outbound, OutboundConfig, Request};
use serde_json::{Value, json};

/// What the service answers next, the first first; then 200 with an empty object. And what it was asked.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    answers: Vec<(u16, Value)>,
    asked: Vec<String>,
}

impl Script {
    fn then(&self, status: u16, body: Value) {
        self.0.lock().expect("not poisoned").answers.push((status, body));
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("not poisoned").asked)
    }
}

async fn token(State(script): State<Script>) -> impl IntoResponse {
    let mut script = script.0.lock().expect("not poisoned");
    script.asked.push("token".to_owned());
    let number = script.asked.len();
    Json(json!({"access_token": format!("t{number}"), "expires_in": 600, "token_type": "Bearer"}))
}

async fn answer(State(script): State<Script>, headers: HeaderMap, request: Incoming) -> impl IntoResponse {
    let mut script = script.0.lock().expect("not poisoned");
    let bearer = headers["authorization"].to_str().expect("text");
    let line = format!("{} {} {bearer}", request.method(), request.uri().path());
    script.asked.push(line);
    let (status, body) = if script.answers.is_empty() { (200, json!({})) } else { script.answers.remove(0) };
    (StatusCode::from_u16(status).expect("a status"), Json(body))
}

struct World {
    script: Script,
    clock: FixedClock,
    client: AdminClient,
    base: String,
}

async fn world() -> World {
    let script = Script::default();
    let service = Router::new()
        .route("/oauth/token", post(token))
        .route("/{*path}", any(answer))
        .with_state(script.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, service).await });
    let clock = FixedClock::at(Timestamp::from_seconds(1_000));
    let environment = Environment::new(Arc::new(clock.clone()), Arc::new(SystemRng));
    let config = OutboundConfig { own_origins: vec![base.clone()], ..OutboundConfig::default() };
    let outbound = Outbound::new(config, environment).expect("a client");
    let credentials = AdminCredentials {
        token_endpoint: format!("{base}/oauth/token"),
        client_id: "agents".to_owned(),
        client_secret: "secret".to_owned(),
    };
    World { client: AdminClient::new(outbound, credentials), script, clock, base }
}

impl World {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn ensure(&self) -> Result<heddle_agent::Ensured, CallError> {
        let (url, thing) = (self.url("/things"), self.url("/things/1"));
        let same = Existing { url: &thing, member: "did", value: "did:web:a" };
        self.client.ensure(Request::post(url).json(b"{}".to_vec()), same).await
    }
}

#[tokio::test]
async fn a_token_is_shared_until_shortly_before_its_end() {
    let world = world().await;
    for _ in 0..2 {
        world.client.send(Request::get(world.url("/x"))).await.expect("200");
    }
    assert_eq!(world.script.asked(), ["token", "GET /x Bearer t1", "GET /x Bearer t1"]);
    world.clock.advance(Duration::from_secs(569));
    world.client.send(Request::get(world.url("/x"))).await.expect("200");
    assert_eq!(world.script.asked().len(), 1, "one second of its useful life is left");
    world.clock.advance(Duration::from_secs(1));
    world.client.send(Request::get(world.url("/x"))).await.expect("200");
    assert_eq!(world.script.asked()[0], "token");
}

#[tokio::test]
async fn a_refused_token_is_replaced_by_the_next_run() {
    let world = world().await;
    world.script.then(401, json!({}));
    let error = world.client.send(Request::get(world.url("/x"))).await.expect_err("401");
    assert!(matches!(ActivityResult::from(error), ActivityResult::Retry { .. }));
    world.script.asked();
    world.client.send(Request::get(world.url("/x"))).await.expect("200");
    assert_eq!(world.script.asked()[0], "token");
}

#[tokio::test]
async fn a_conflict_with_the_same_thing_is_success_and_with_another_is_not() {
    let world = world().await;
    world.script.then(409, json!({"message": "exists"}));
    world.script.then(200, json!({"did": "did:web:a"}));
    let ensured = world.ensure().await.expect("the same thing");
    assert_eq!(ensured, heddle_agent::Ensured::WasThere);
    assert!(world.script.asked().iter().any(|line| line.starts_with("GET /things/1")));

    world.script.then(409, json!({"message": "exists"}));
    world.script.then(200, json!({"did": "did:web:somebody-else"}));
    assert_eq!(world.ensure().await.expect_err("another thing").status(), Some(409));

    world.script.then(409, json!({"message": "the DID is taken"}));
    world.script.then(404, json!({}));
    let error = world.ensure().await.expect_err("something else is in the way");
    assert!(error.to_string().contains("the DID is taken"), "{error}");
}

#[tokio::test]
async fn removing_what_is_gone_is_success_and_other_failures_are_not() {
    let world = world().await;
    let delete = || Request::new(http::Method::DELETE, world.url("/things/1"));
    world.script.then(404, json!({}));
    world.client.remove(delete()).await.expect("gone");
    world.script.then(403, json!({"message": "you may not"}));
    let error = world.client.remove(delete()).await.expect_err("403");
    let ActivityResult::Fatal(sentence) = error.into() else { panic!("final") };
    assert!(sentence.contains("you may not"), "{sentence}");
}

#[tokio::test]
async fn a_stream_that_is_refused_is_an_error_of_its_status() {
    let world = world().await;
    world.script.then(503, json!({}));
    let error = world.client.stream(Request::get(world.url("/events"))).await.expect_err("503");
    assert!(matches!(ActivityResult::from(error), ActivityResult::Retry { .. }));
    world.script.then(403, json!({}));
    let error = world.client.stream(Request::get(world.url("/events"))).await.expect_err("403");
    assert!(matches!(ActivityResult::from(error), ActivityResult::Fatal(_)));
}

#[test]
fn secrets_are_not_shown() {
    let credentials = AdminCredentials {
        token_endpoint: "http://t".to_owned(),
        client_id: "agents".to_owned(),
        client_secret: "hunter2".to_owned(),
    };
    assert!(!format!("{credentials:?}").contains("hunter2"));
}
