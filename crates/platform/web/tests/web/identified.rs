//! What a request is called, and whose trace it belongs to.

use axum::{Router, routing::get};
use heddle_clock::Environment;
use heddle_telemetry::{trace, tracestate};
use heddle_web::{Management, ServerLimits, Surface, SurfaceLimits, request_id};

use crate::support::Server;

async fn told() -> String {
    let trace = trace::current().map(|trace| trace.trace_id()).unwrap_or_default();
    let state = tracestate::current().map(|state| state.as_str().to_owned()).unwrap_or_default();
    let id = request_id::current().map(|id| id.as_str().to_owned()).unwrap_or_default();
    format!("{id} {trace} {state}")
}

async fn panics() -> &'static str {
    panic!("a defect of a test")
}

async fn server(limits: SurfaceLimits) -> Server {
    let router = Router::new().route("/told", get(told)).route("/panics", get(panics));
    let surface = Surface::<Management>::new("test", Environment::system()).finish(router);
    Server::start(surface.layer(axum::Extension(limits)), ServerLimits::default()).await
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn every_answer_names_its_request() {
    let server = server(SurfaceLimits::default()).await;
    for path in ["/told", "/nothing", "/panics"] {
        let answer = server.ask("GET", path, "x-request-id: mine-7\r\n", "").await;
        assert_eq!(answer.header("x-request-id"), Some("mine-7"), "{answer:?}");
        let answer = server.ask("GET", path, "x-request-id: not mine\r\n", "").await;
        assert_eq!(answer.header("x-request-id").map(str::len), Some(36), "{answer:?}");
    }
    let answer = server.ask("GET", "/told", "x-request-id: mine-7\r\n", "").await;
    assert!(answer.body.starts_with("mine-7 "), "{answer:?}");
    let answer = server.ask("GET", "/panics", "x-request-id: mine-7\r\n", "").await;
    assert!(answer.status == 500 && answer.body.contains("mine-7"), "{answer:?}");
}

#[tokio::test]
async fn a_trace_and_what_comes_with_it_go_on() {
    let server = server(SurfaceLimits::default()).await;
    let parent = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n");
    let state = "tracestate: rojo=1\r\ntracestate: congo=2\r\n";
    let answer = server.ask("GET", "/told", &format!("{parent}{state}"), "").await;
    assert!(answer.body.ends_with(&format!("{TRACE} rojo=1,congo=2")), "{answer:?}");
    // Without a trace there is nothing for it to belong to; and a malformed one does not end the trace.
    let answer = server.ask("GET", "/told", state, "").await;
    assert!(answer.body.ends_with(' ') && !answer.body.contains(TRACE), "{answer:?}");
    let answer = server.ask("GET", "/told", &format!("traceparent: x\r\n{state}"), "").await;
    assert!(answer.body.ends_with(' '), "{answer:?}");
    let answer = server.ask("GET", "/told", &format!("{parent}tracestate: A=1\r\n"), "").await;
    assert!(answer.body.ends_with(&format!("{TRACE} ")), "{answer:?}");
}

#[tokio::test]
async fn an_operator_bounds_a_surface_by_its_name() {
    let server = server(SurfaceLimits::new([("test".to_owned(), 0), ("other".to_owned(), 9)], None)).await;
    let answer = server.ask("GET", "/told", "", "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
    assert!(answer.body.starts_with("[{\"message\""), "in the surface's own words: {answer:?}");
}
