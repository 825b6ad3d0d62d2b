//! A counter-party and data plane of somebody else's making: it answers as the test says.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, body::Bytes, extract::State, response::IntoResponse};
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::DSP;

/// Gives the answer to a call: method and path, and the body.
type Script = Box<dyn FnMut(&str, &Value) -> (u16, Value) + Send>;

#[derive(Clone)]
struct Server {
    script: Arc<Mutex<Script>>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

/// The counter-party.
pub struct Peer {
    pub url: String,
    server: Server,
}

impl Peer {
    /// On a port of its own; answers nothing but 500 until it is told.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let script: Script = Box::new(|_, _| (500, Value::Null));
        let server = Server { script: Arc::new(Mutex::new(script)), calls: Arc::default() };
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, server }
    }

    /// Answers like this from now on.
    pub fn answers(&self, script: impl FnMut(&str, &Value) -> (u16, Value) + Send + 'static) {
        *self.server.script.lock().expect("not poisoned") = Box::new(script);
    }

    /// The bodies of the calls so far with this method and path.
    pub fn calls(&self, call: &str) -> Vec<Value> {
        let calls = self.server.calls.lock().expect("not poisoned");
        calls.iter().filter(|(made, _)| made == call).map(|(_, body)| body.clone()).collect()
    }

    /// A process as the protocol shows it.
    pub fn process(kind: &str, (provider, consumer): (&str, &str), state: &str) -> Value {
        json!({"@context": [DSP], "@type": kind, "providerPid": provider, "consumerPid": consumer, "state": state})
    }
}

async fn answer(State(server): State<Server>, method: Method, uri: Uri, body: Bytes) -> impl IntoResponse {
    let call = format!("{method} {}", uri.path());
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let (status, answer) = (server.script.lock().expect("not poisoned"))(&call, &body);
    server.calls.lock().expect("not poisoned").push((call, body));
    (StatusCode::from_u16(status).expect("a status"), Json(answer))
}
