//! The client against real sockets.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse, routing};
use futures::{StreamExt, stream};
use heddle_clock::Environment;
use heddle_outbound::{
    Authorization, Body, NameLookup, Outbound, OutboundConfig, OutboundError, Refusal, Request, RetryClass,
};
use heddle_telemetry::trace;
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

fn development() -> OutboundConfig {
    OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() }
}

fn outbound(config: OutboundConfig) -> Outbound {
    Outbound::new(config, Environment::system()).expect("a client")
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

/// Answers every connection with `bytes` and then keeps it open.
async fn serve_raw(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            drop(socket.read(&mut request).await);
            drop(socket.write_all(bytes).await);
            open.push(socket);
        }
    });
    base
}

struct Names(&'static [(&'static str, &'static str)]);

#[async_trait]
impl NameLookup for Names {
    async fn addresses(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = self.0.iter().filter(|(known, _)| *known == name);
        Ok(found.map(|(_, address)| address.parse().expect("an address")).collect())
    }
}

#[tokio::test]
async fn headers_and_body_arrive_and_the_answer_comes_back() {
    async fn echo(headers: HeaderMap, body: Bytes) -> impl IntoResponse {
        let shown =
            ["authorization", "idempotency-key", "content-type", "accept", "user-agent", "traceparent"].map(
                |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned(),
            );
        ([("location", "/there")], format!("{}\n{}", shown.join("\n"), String::from_utf8_lossy(&body)))
    }
    let base = serve(Router::new().route("/echo", routing::post(echo))).await;
    let request = Request::post(format!("{base}/echo"))
        .json(b"{\"a\":1}".to_vec())
        .authorization(Authorization::bearer("t0ken"))
        .idempotency_key("k-1");
    let context: trace::TraceContext =
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().expect("legal");
    let answer = trace::within(context, outbound(development()).send(request)).await.expect("an answer");
    assert_eq!(answer.headers()["location"], "/there");
    let text = String::from_utf8(answer.body().to_vec()).expect("text");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(&lines[..4], ["Bearer t0ken", "k-1", "application/json", "application/json"]);
    assert!(lines[4].starts_with("heddle/"), "{}", lines[4]);
    assert!(lines[5].starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{}", lines[5]);
    assert!(!lines[5].contains("00f067aa0ba902b7"), "the outgoing step must be a new one: {}", lines[5]);
    assert_eq!(lines[6], "{\"a\":1}");
}

#[tokio::test]
async fn without_a_current_trace_each_request_begins_one() {
    async fn traced(headers: HeaderMap) -> String {
        headers["traceparent"].to_str().expect("text").to_owned()
    }
    let base = serve(Router::new().route("/", routing::get(traced))).await;
    let answer = outbound(development()).send(Request::get(base)).await.expect("an answer");
    assert!(String::from_utf8_lossy(answer.body()).parse::<trace::TraceContext>().is_ok());
}

#[tokio::test]
async fn failed_answers_are_classed_and_secrets_stay_out_of_errors() {
    let refuse = || async { (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "7")], "later\u{7}") };
    let base = serve(Router::new().route("/busy", routing::get(refuse))).await;
    let request =
        Request::get(format!("{base}/busy?token=hush")).authorization(Authorization::bearer("hush"));
    assert!(!format!("{request:?}").contains("hush"), "{request:?}");
    let error = outbound(development()).send(request).await.expect_err("503");
    assert_eq!(error.class(), RetryClass::Retry { after: Some(Duration::from_secs(7)) });
    assert!(error.to_string().ends_with("/busy answered 503 Service Unavailable: later "), "{error}");
    assert!(!format!("{error:?} {error}").contains("hush"), "{error:?}");

    let missing =
        outbound(development()).send(Request::get(format!("{base}/nothing"))).await.expect_err("404");
    assert_eq!(missing.class(), RetryClass::RetryBriefly);
}

#[tokio::test]
async fn an_excerpt_of_a_failed_answer_is_bounded() {
    let long = || async { (StatusCode::BAD_REQUEST, "x".repeat(100_000)) };
    let base = serve(Router::new().route("/", routing::get(long))).await;
    match outbound(development()).send(Request::get(base)).await {
        Err(OutboundError::Status { body_excerpt, .. }) => assert_eq!(body_excerpt.len(), 2048),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_redirect_is_an_error_and_not_followed() {
    let base = serve_raw(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/inside?secret\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let error = outbound(development()).send(Request::get(&base)).await.expect_err("a redirect");
    assert_eq!(error.class(), RetryClass::Final);
    assert!(
        matches!(&error, OutboundError::Redirected { location, .. } if location == "http://127.0.0.1:1/inside")
    );
    let streamed = outbound(development()).stream(Request::get(base)).await.expect_err("a redirect");
    assert!(matches!(streamed, OutboundError::Redirected { .. }), "{streamed}");
}

#[tokio::test]
async fn too_large_answers_are_refused_announced_or_not() {
    let config = OutboundConfig { body_bytes_max: 10, ..development() };
    let announced = serve(Router::new().route("/", routing::get(|| async { "12345678901" }))).await;
    let chunked =
        serve_raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n");
    for base in [announced, chunked.await] {
        let error = outbound(config.clone()).send(Request::get(base)).await.expect_err("too large");
        assert!(matches!(error, OutboundError::TooLarge { body_bytes_max: 10, .. }), "{error}");
    }
    let fits = serve(Router::new().route("/", routing::get(|| async { "1234567890" }))).await;
    assert_eq!(outbound(config).send(Request::get(fits)).await.expect("fits").body().len(), 10);
}

#[tokio::test]
async fn silence_and_closed_ports_are_worth_repeating() {
    let silent = serve_raw(b"").await;
    let request = Request::get(silent).timeout(Duration::from_millis(50));
    let error = outbound(development()).send(request).await.expect_err("silence");
    assert!(matches!(error, OutboundError::Timeout { .. }), "{error}");
    assert_eq!(error.class(), RetryClass::Retry { after: None });

    let halfway = serve_raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12").await;
    let request = Request::get(halfway).timeout(Duration::from_millis(50));
    let error = outbound(development()).send(request).await.expect_err("half an answer");
    assert!(matches!(error, OutboundError::Timeout { .. }), "{error}");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let closed = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = outbound(development()).send(Request::get(closed)).await.expect_err("nobody listens");
    assert!(matches!(error, OutboundError::Unreachable { .. }), "{error}");
    assert_eq!(error.class(), RetryClass::Retry { after: None });
}

#[tokio::test]
async fn names_of_inner_addresses_are_refused_at_the_connection() {
    let config = OutboundConfig { allow_http: true, ..OutboundConfig::default() };
    let names =
        Names(&[("inner.example", "10.0.0.7"), ("meta.example", "169.254.169.254"), ("six.example", "::1")]);
    let outbound = Outbound::with_lookup(config, Environment::system(), Arc::new(names)).expect("a client");
    for name in ["inner.example", "meta.example", "six.example"] {
        let error = outbound.send(Request::get(format!("http://{name}/"))).await.expect_err("refused");
        assert!(matches!(&error, OutboundError::Refused { reason: Refusal::Address { .. }, .. }), "{error}");
        assert_eq!(error.class(), RetryClass::Final);
        assert!(error.to_string().contains(name), "{error}");
    }
    let unknown = outbound.send(Request::get("http://unknown.example/")).await.expect_err("no address");
    assert!(matches!(unknown, OutboundError::Unreachable { .. }), "{unknown}");
}

#[tokio::test]
async fn an_own_origin_is_reached_although_it_is_inside() {
    let base = serve(Router::new().route("/", routing::get(|| async { "own" }))).await;
    let port = base.rsplit(':').next().expect("a port");
    let own = format!("http://heddle.example:{port}");
    let config = OutboundConfig { own_origins: vec![own.clone()], ..OutboundConfig::default() };
    let names = Names(&[("heddle.example", "127.0.0.1")]);
    let outbound = Outbound::with_lookup(config, Environment::system(), Arc::new(names)).expect("a client");
    assert_eq!(&outbound.send(Request::get(own)).await.expect("own").body()[..], b"own");
    let other = outbound.send(Request::get("https://heddle.example/")).await.expect_err("another origin");
    assert!(matches!(other, OutboundError::Refused { reason: Refusal::Address { .. }, .. }), "{other}");
}

#[tokio::test]
async fn bodies_stream_in_both_directions_and_statuses_pass() {
    async fn count(State(status): State<StatusCode>, body: Bytes) -> impl IntoResponse {
        (status, body.len().to_string())
    }
    let router = Router::new().route("/", routing::put(count)).with_state(StatusCode::CONFLICT);
    let base = serve(router).await;
    for length in [None, Some(3 * 1000)] {
        let chunks = (0..3).map(|_| Ok(Bytes::from(vec![b'x'; 1000])));
        let body = Body::Stream { bytes: stream::iter(chunks).boxed(), length };
        let request = Request::new(http::Method::PUT, &base).body(body);
        let answer = outbound(development()).stream(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CONFLICT);
        let bytes: Vec<_> = answer.map(|chunk| chunk.expect("bytes")).collect().await;
        assert_eq!(bytes.concat(), b"3000");
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_with_a_timeout() {
    let base = serve_raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12").await;
    let config = OutboundConfig { idle_timeout: Duration::from_millis(50), ..development() };
    let mut answer = outbound(config).stream(Request::get(base)).await.expect("a head");
    assert_eq!(&answer.next().await.expect("bytes").expect("bytes")[..], b"12");
    assert!(matches!(answer.next().await, Some(Err(OutboundError::Timeout { .. }))));
    assert!(answer.next().await.is_none());
}

#[tokio::test]
async fn an_upload_that_falls_silent_ends_with_a_timeout() {
    let base = serve(Router::new().route("/", routing::put(|body: Bytes| async move { body }))).await;
    let config = OutboundConfig { idle_timeout: Duration::from_millis(50), ..development() };
    let bytes = stream::iter([Ok(Bytes::from_static(b"12"))]).chain(stream::pending()).boxed();
    let request = Request::new(http::Method::PUT, base).body(Body::Stream { bytes, length: None });
    let error = outbound(config).send(request).await.expect_err("silence");
    assert!(matches!(error, OutboundError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn json_errors_name_the_place() {
    #[derive(Debug, serde::Deserialize)]
    struct Answer {
        #[expect(dead_code, reason = "only its type matters")]
        keys: Vec<u32>,
    }
    let base = serve(Router::new().route("/", routing::get(|| async { "{\"keys\":[1,\"x\"]}" }))).await;
    let answer = outbound(development()).send(Request::get(base)).await.expect("an answer");
    let error = answer.json::<Answer>().expect_err("not a number").to_string();
    assert!(error.contains("keys[1]"), "{error}");
}

#[test]
fn unusable_roots_are_explained() {
    let config = OutboundConfig { extra_roots: Some("/nowhere/roots.pem".into()), ..development() };
    let error = Outbound::new(config, Environment::system()).expect_err("no such file").to_string();
    assert!(error.contains("/nowhere/roots.pem") && error.contains("PEM"), "{error}");
}
