//! A counter-party and data plane of somebody else's making: it answers as the test says.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, body::Bytes, extract::State, response::IntoResponse};
use http::{Method, StatusCode, Uri, header::RETRY_AFTER};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};

use super::{DSP, feed::PATIENCE};

/// Gives the answer to a call: method and path, and the body.
type Script = Box<dyn FnMut(&str, &Value) -> (u16, Value) + Send>;

#[derive(Clone)]
struct Server {
    script: Arc<Mutex<Script>>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    called: Arc<Notify>,
}

/// The counter-party.
pub struct Peer {
    pub url: String,
    server: Server,
}

impl Peer {
    /// On a port of its own; answers nothing but 500 until it is told. With a 503 it asks for an hour.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let script: Script = Box::new(|_, _| (500, Value::Null));
        let server =
            Server { script: Arc::new(Mutex::new(script)), calls: Arc::default(), called: Arc::default() };
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

    /// The calls so far whose method and path contain one of `parts`, in their order.
    pub fn order(&self, parts: &[&str]) -> Vec<String> {
        let calls = self.server.calls.lock().expect("not poisoned");
        let wanted = calls.iter().filter(|(made, _)| parts.iter().any(|part| made.contains(part)));
        wanted.map(|(made, _)| made.clone()).collect()
    }

    /// Waits until a call whose method and path contain `part` has been answered.
    pub async fn heard(&self, part: &str) {
        let heard = async {
            loop {
                let called = self.server.called.notified();
                if !self.order(&[part]).is_empty() {
                    return;
                }
                called.await;
            }
        };
        if tokio::time::timeout(PATIENCE, heard).await.is_err() {
            panic!("no {part}; there were {:#?}", self.order(&[""]));
        }
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
    server.called.notify_waiters();
    let status = StatusCode::from_u16(status).expect("a status");
    let hour = (status == StatusCode::SERVICE_UNAVAILABLE).then_some([(RETRY_AFTER, "3600")]);
    (status, hour, Json(answer))
}
