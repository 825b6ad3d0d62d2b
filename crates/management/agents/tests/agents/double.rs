//! A double of all services: keeps what is created, tells conflicts and absence, records requests, and can be told
//! to answer otherwise.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use futures::StreamExt;
use heddle_agent::{ActivityAgent, ActivityContext, AdminClient, AdminCredentials};
use heddle_agents::{AgentsConfig, PlaneClient};
use heddle_clock::Environment;
use heddle_ids::OrchestrationId;
use heddle_outbound::{Outbound, OutboundConfig};
use serde_json::{Map, Value, json};
use tokio::sync::broadcast;

/// A request that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Method and path.
    pub line: String,
    pub body: Value,
    pub key: Option<String>,
}

/// What becomes of credential requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuing {
    /// They are issued before anybody looks.
    AtOnce,
    /// They end thus after the first look, and the feed tells.
    Later(&'static str),
    /// They do not end, and the feed breaks off.
    Never,
}

struct Service {
    requests: Vec<Recorded>,
    scripted: Vec<(String, u16)>,
    things: BTreeMap<String, Value>,
    issuing: Issuing,
    feed: Option<broadcast::Sender<String>>,
}

#[derive(Clone)]
pub struct Double {
    service: Arc<Mutex<Service>>,
    pub base: String,
    /// Where agents are told that the services are: here, unless a test says otherwise.
    pub services: String,
}

impl Double {
    pub async fn start() -> Self {
        let service = Arc::new(Mutex::new(Service {
            requests: Vec::new(),
            scripted: Vec::new(),
            things: BTreeMap::new(),
            issuing: Issuing::AtOnce,
            feed: Some(broadcast::Sender::new(16)),
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let token = || async { Json(json!({"access_token": "t", "expires_in": 600})) };
        let router = Router::new().route("/oauth/token", post(token)).fallback(answer);
        let double = Self { service, services: base.clone(), base };
        let router = router.with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    fn lock(&self) -> MutexGuard<'_, Service> {
        self.service.lock().expect("not poisoned")
    }

    /// The next request of this method and path gets this status.
    pub fn then(&self, line: &str, status: u16) {
        self.lock().scripted.push((line.to_owned(), status));
    }

    pub fn put(&self, path: &str, thing: Value) {
        self.lock().things.insert(path.to_owned(), thing);
    }

    pub fn issue(&self, issuing: Issuing) {
        let mut service = self.lock();
        service.issuing = issuing;
        if issuing == Issuing::Never {
            service.feed = None;
        }
    }

    /// What came since the last call.
    pub fn requests(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.lock().requests)
    }

    pub fn lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.line).collect()
    }

    pub fn things(&self) -> Vec<String> {
        self.lock().things.keys().cloned().collect()
    }

    /// The shipped agent of a type, at work with this double.
    pub fn agent(&self, activity_type: &str) -> Arc<dyn ActivityAgent> {
        let config = OutboundConfig {
            own_origins: vec![self.base.clone(), self.services.clone()],
            ..OutboundConfig::default()
        };
        let outbound = Outbound::new(config, Environment::system()).expect("a client");
        let credentials = AdminCredentials {
            token_endpoint: format!("{}/oauth/token", self.base),
            client_id: "agents".to_owned(),
            client_secret: "secret".to_owned(),
        };
        let plane = |id: &str| PlaneClient { id: id.to_owned(), secret: format!("{id}-secret") };
        let config = AgentsConfig {
            control_plane_url: self.services.clone(),
            credential_service_url: self.services.clone(),
            issuer_service_url: self.services.clone(),
            signaling_url: self.services.clone(),
            data_plane_url: self.services.clone(),
            public_url: "https://heddle.example".to_owned(),
            issuer_context: "the-issuer".to_owned(),
            token_endpoint: "https://heddle.example/oauth/token".to_owned(),
            control_plane: plane("cp"),
            data_plane: plane("dp"),
        };
        let agents = heddle_agents::all(&AdminClient::new(outbound, credentials), config);
        agents.into_iter().find(|agent| agent.activity_type() == activity_type).expect("it is shipped")
    }
}

async fn answer(State(double): State<Double>, request: Request) -> Response {
    let key = request.headers().get("idempotency-key").map(|key| key.to_str().expect("text").to_owned());
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let body = to_bytes(request.into_body(), 1 << 20).await.expect("a body");
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let line = format!("{method} {path}");
    let mut service = double.lock();
    service.requests.push(Recorded { line: line.clone(), body: body.clone(), key });
    if let Some(place) = service.scripted.iter().position(|(wanted, _)| *wanted == line) {
        let (_, status) = service.scripted.remove(place);
        let status = StatusCode::from_u16(status).expect("a status");
        return (status, Json(json!({"message": format!("told to answer {status}")}))).into_response();
    }
    match method.as_str() {
        "GET" if path.ends_with("/events") => service.events(),
        "GET" => service.show(&path),
        "POST" => service.create(&path, &body),
        "DELETE" if service.things.remove(&path).is_none() => StatusCode::NOT_FOUND.into_response(),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

impl Service {
    fn create(&mut self, path: &str, body: &Value) -> Response {
        let names = ["@id", "participantContextId", "holderId", "holderPid"];
        let id = names.iter().find_map(|name| body[*name].as_str()).expect("an id");
        let id = id.replace('%', "%25").replace(':', "%3A");
        let (place, mut thing) = (format!("{path}/{id}"), body.clone());
        if self.things.contains_key(&place) {
            return (StatusCode::CONFLICT, Json(json!({"message": "it exists"}))).into_response();
        }
        if path.ends_with("/credentials/request") {
            let status = if self.issuing == Issuing::AtOnce { "ISSUED" } else { "REQUESTED" };
            thing["status"] = status.into();
        }
        self.things.insert(place, thing);
        StatusCode::CREATED.into_response()
    }

    fn show(&mut self, path: &str) -> Response {
        let Some(thing) = self.things.get_mut(path) else { return StatusCode::NOT_FOUND.into_response() };
        let shown = thing.clone();
        if let (Issuing::Later(end), "REQUESTED") = (self.issuing, thing["status"].as_str().unwrap_or("")) {
            thing["status"] = end.into();
            let kind = format!("credential.request.{}", end.to_lowercase());
            let data = json!({"type": kind, "payload": {"holderPid": thing["holderPid"]}});
            let noise = json!({"type": kind, "payload": {"holderPid": "of somebody else"}});
            for data in [noise, data] {
                let text = format!("id: 1\nevent: {kind}\ndata: {data}\n\n");
                self.feed.as_ref().expect("open").send(text).expect("somebody listens");
            }
        }
        Json(shown).into_response()
    }

    fn events(&self) -> Response {
        let opening = futures::stream::iter([Ok::<_, std::convert::Infallible>(": open 0\n\n".to_owned())]);
        let Some(feed) = &self.feed else { return Body::from_stream(opening).into_response() };
        let events = futures::stream::unfold(feed.subscribe(), |mut feed| async {
            feed.recv().await.ok().map(|text| (Ok(text), feed))
        });
        Body::from_stream(opening.chain(events)).into_response()
    }
}

pub const DID: &str = "did:web:heddle.example%3A7979:acme";

/// A run of an activity for the participant `ctx1`.
pub fn context(more: Value) -> ActivityContext {
    run(1, more)
}

/// As [`context`], of this run.
pub fn run(attempt: u32, more: Value) -> ActivityContext {
    let mut values = json!({
        "cfm.participant.id": DID,
        "participantContextId": "ctx1",
        "cfm.tenant.id": "t1",
        "cfm.dataspace.profiles": ["first"],
        "cfm.vpa.credentials": [],
        "cfm.vpa.data": [],
    });
    let Value::Object(more) = more else { panic!("an object") };
    let all: &mut Map<String, Value> = values.as_object_mut().expect("an object");
    all.extend(more);
    all.retain(|_, value| !value.is_null());
    let id = OrchestrationId::parse("o1").expect("legal");
    ActivityContext::new(id, "activity".to_owned(), attempt, all.clone())
}
