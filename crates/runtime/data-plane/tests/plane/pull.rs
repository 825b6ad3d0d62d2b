//! The whole of a pull: both participants, both control planes, the bytes, the end.

use axum::{Json, Router, body::Bytes as AxumBytes, extract::State, routing::post};
use heddle_store::Aggregate;
use http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::support::{Address, Site, World, opening};

/// What a control plane was called back with.
struct Called {
    path: String,
    authorization: String,
    body: Value,
}

#[derive(Clone)]
struct ControlPlane {
    calls: mpsc::UnboundedSender<Called>,
    /// How many callbacks are refused before one is taken.
    refusals: std::sync::Arc<std::sync::atomic::AtomicU32>,
}

async fn issue(form: String) -> Result<Json<Value>, StatusCode> {
    let expected = "grant_type=client_credentials&client_id=data-plane&client_secret=s3cret";
    if form != expected {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(Json(json!({"access_token": "callback-token", "token_type": "Bearer", "expires_in": 300})))
}

async fn take(
    State(plane): State<ControlPlane>,
    uri: Uri,
    headers: HeaderMap,
    body: AxumBytes,
) -> StatusCode {
    use std::sync::atomic::Ordering::SeqCst;
    if plane.refusals.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
        return StatusCode::NOT_FOUND;
    }
    let authorization = headers.get("authorization").map_or("", |value| value.to_str().expect("text"));
    let call = Called {
        path: uri.path().to_owned(),
        authorization: authorization.to_owned(),
        body: serde_json::from_slice(&body).expect("JSON"),
    };
    plane.calls.send(call).expect("the test listens");
    StatusCode::OK
}

/// A control plane on a port of its own; gives its base URL.
async fn control_plane(refusals: u32) -> (String, mpsc::UnboundedReceiver<Called>) {
    let (calls, received) = mpsc::unbounded_channel();
    let state = ControlPlane { calls, refusals: std::sync::Arc::new(refusals.into()) };
    let router = Router::new().route("/token", post(issue)).fallback(take).with_state(state);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

/// A stored flow, as it is on disk.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Raw(Value);

impl Aggregate for Raw {
    const KIND: &'static str = "data-flow";
    fn id(&self) -> &str {
        "unused"
    }
}

async fn stored(world: &World, context: &str, flow: &str) -> String {
    let scope = world.participant(context);
    let raw = world.store.begin(&scope).load::<Raw>(flow).await.expect("readable").expect("stored");
    raw.into_value().0.to_string()
}

#[tokio::test]
async fn a_file_goes_from_provider_to_consumer() {
    let world = World::start().await;
    let (url, mut calls) = control_plane(1).await;
    let provider = Site::new(&world, "provider", &json!({})).await;
    let registration = json!({"endpoint": format!("{url}/signaling/consumer"), "authorization": {
        "type": "oauth2_client_credentials", "tokenEndpoint": format!("{url}/token"),
        "clientId": "data-plane", "clientSecret": "s3cret",
    }});
    let consumer = Site::new(&world, "consumer", &registration).await;
    let content: Vec<u8> = (0..5_000_003_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let source = provider.upload("file", content.clone()).await.expect(StatusCode::OK).json();
    assert_eq!(source["length"], content.len());

    let prepared =
        consumer.signal("prepare", &opening("m1", "c-1", "file")).await.expect(StatusCode::OK).json();
    assert_eq!((&prepared["state"], &prepared["dataFlowId"]), (&json!("PREPARED"), &json!("c-1")));
    assert!(prepared.get("dataAddress").is_none(), "the consumer of a pull has no address");
    consumer.own("GET", "flows/c-1/edr", &Value::Null).await.expect(StatusCode::CONFLICT);

    let started = provider.signal("start", &opening("m1", "p-1", "file")).await.expect(StatusCode::OK).json();
    assert_eq!(started["state"], "STARTED");
    assert_eq!(started["dataAddress"]["endpointType"], "HttpData-PULL", "in the spelling of the request");
    let token = Address::of(&started).token;
    let notice = json!({"messageId": "m2", "dataAddress": started["dataAddress"]});
    consumer.signal("c-1/started", &notice).await.expect(StatusCode::OK);

    let edr = consumer.own("GET", "flows/c-1/edr", &Value::Null).await.expect(StatusCode::OK);
    assert_eq!(edr.header("cache-control"), "no-store");
    let edr = edr.json();
    assert_eq!((&edr["authorization"], &edr["authType"]), (&json!(token), &json!("bearer")));
    let path = edr["endpoint"]
        .as_str()
        .expect("an endpoint")
        .trim_start_matches(crate::support::PUBLIC_URL)
        .to_owned();
    let address = Address { path, token: token.clone() };
    let data = world.fetch(&address).await.expect(StatusCode::OK);
    assert!(data.body == content, "the same bytes");
    assert_eq!(data.header("content-length"), content.len().to_string());
    assert_eq!(data.header("etag"), format!("\"{}\"", source["sha256"].as_str().expect("text")));
    let head = world.call("HEAD", &address.path, &token, &Value::Null).await.expect(StatusCode::OK);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), content.len().to_string());

    for (context, flow) in [("provider", "p-1"), ("consumer", "c-1")] {
        assert!(!stored(&world, context, flow).await.contains(&token), "{context} keeps no token in clear");
    }
    let rows = world.store.published("data-flow", None, 10).await.expect("rows");
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].value.contains(&token), "the directory keeps no token in clear");

    for _ in 0..2 {
        consumer.own("POST", "flows/c-1/complete", &Value::Null).await.expect(StatusCode::NO_CONTENT);
    }
    let call = calls.recv().await.expect("a callback");
    assert_eq!(call.path, "/signaling/consumer/transfers/c-1/dataflow/completed");
    assert_eq!(call.authorization, "Bearer callback-token");
    assert_eq!((&call.body["state"], &call.body["dataFlowId"]), (&json!("COMPLETED"), &json!("c-1")));
    assert!(call.body["messageId"].is_string());
    assert!(calls.try_recv().is_err(), "one completion, one callback");

    provider.signal("p-1/completed", &json!({})).await.expect(StatusCode::OK);
    world.fetch(&address).await.expect(StatusCode::UNAUTHORIZED);
    consumer.own("GET", "flows/c-1/edr", &Value::Null).await.expect(StatusCode::CONFLICT);
    let flow = consumer.own("GET", "flows/c-1", &Value::Null).await.expect(StatusCode::OK).json();
    assert_eq!((&flow["state"], &flow["side"]), (&json!("COMPLETED"), &json!("consumer")));
    let flows = provider.own("GET", "flows", &Value::Null).await.expect(StatusCode::OK).json();
    assert_eq!(flows.as_array().map(Vec::len), Some(1), "each sees its own");
    assert!(world.store.published("data-flow", None, 10).await.expect("rows").is_empty());
}

#[tokio::test]
async fn what_happens_is_told() {
    let world = World::start().await;
    let provider = Site::new(&world, "provider", &json!({})).await;
    provider.upload("file", "abc").await.expect(StatusCode::OK);
    let address = provider.start("p-1", "file").await;
    provider
        .signal("p-1/suspend", &json!({"messageId": "m2", "reason": "lunch"}))
        .await
        .expect(StatusCode::OK);
    provider.signal("p-1/suspend", &json!({"messageId": "m3"})).await.expect(StatusCode::OK);
    provider.signal("p-1/resume", &json!({"messageId": "m4"})).await.expect(StatusCode::OK);
    provider.signal("p-1/terminate", &json!({"messageId": "m5"})).await.expect(StatusCode::OK);
    let scope = world.participant("provider");
    let mut signal = world.store.signals().events();
    let events = loop {
        signal.mark_unchanged();
        let events = world.store.events(&scope, heddle_store::EventCursor(0), 100).await.expect("events");
        if events.last().is_some_and(|event| event.kind == "data.flow.terminated") {
            break events;
        }
        signal.changed().await.expect("the store lives");
    };
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["data.flow.started", "data.flow.suspended", "data.flow.started", "data.flow.terminated"],
        "a repeat is no event"
    );
    assert!(events.iter().all(|event| !event.payload.contains(&address.token)));
    let payload: Value = serde_json::from_str(&events[1].payload).expect("JSON");
    assert_eq!((&payload["dataFlowId"], &payload["reason"]), (&json!("p-1"), &json!("lunch")));
    assert_eq!(payload["participantContextId"], "provider");
}
