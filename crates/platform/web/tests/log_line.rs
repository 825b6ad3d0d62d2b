//! The log line of a request, in a process of its own: what tests beside it would log must not reach it, nor
//! theirs decide which lines are taken.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::Request, routing::get};
use heddle_clock::Environment;
use heddle_web::{Management, Surface};
use tower::ServiceExt;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_line_has_its_fields_and_no_secrets() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt().json().with_writer(move || writer.clone()).init();
    let router = Router::new().route("/participants/{context}", get(async || "fine"));
    let router = Surface::<Management>::new("management", Environment::system()).finish(router);
    let router = Router::new().nest("/api/mgmt", router);
    let request = Request::get("/api/mgmt/participants/alice?limit=3&token=hush")
        .header("authorization", "Bearer hush")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .body(Body::empty())
        .expect("a request");
    router.oneshot(request).await.expect("infallible");

    let text = String::from_utf8(lines.0.lock().expect("unpoisoned").clone()).expect("text");
    let line = text.lines().find(|line| line.contains("answered")).expect("a line");
    for part in [
        "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"",
        "\"component\":\"management\"",
        "\"action\":\"GET /api/mgmt/participants/{context}\"",
        "\"participant_context_id\":\"alice\"",
        "\"status\":200",
    ] {
        assert!(line.contains(part), "{part} is missing in {line}");
    }
    assert!(!text.contains("hush") && !text.contains("limit=3"), "{text}");
}
