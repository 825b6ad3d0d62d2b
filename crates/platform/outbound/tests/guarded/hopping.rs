//! Redirects, over real sockets.

use crate::support::{Names, development, named, outbound, serve};
use axum::{
    Router,
    http::HeaderMap,
    response::IntoResponse,
    routing::{self, get},
};
use heddle_outbound::{Authorization, OutboundConfig, OutboundError, Refusal, Request, RetryClass};
use http::{HeaderName, HeaderValue, StatusCode};

/// Answers with what was shown to it.
async fn told(headers: HeaderMap) -> String {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-");
    format!("{} {} {}", value("authorization"), value("x-own"), value("accept"))
}

fn to(status: u16, location: String) -> impl IntoResponse {
    (StatusCode::from_u16(status).expect("a status"), [("location", location)])
}

fn proved(url: String) -> Request {
    Request::get(url)
        .authorization(Authorization::bearer("t0ken"))
        .header(HeaderName::from_static("x-own"), HeaderValue::from_static("mine"))
        .redirects_max(3)
}

#[tokio::test]
async fn a_request_that_allows_it_follows_and_keeps_its_proof_at_the_same_origin() {
    for status in [301, 302, 303, 307, 308] {
        let router = Router::new()
            .route("/a", get(move || async move { to(status, "b?x=1".to_owned()) }))
            .route("/b", get(told));
        let base = serve(router).await;
        let answer = outbound(development()).send(proved(format!("{base}/a"))).await.expect("followed");
        assert_eq!(&answer.body()[..], b"Bearer t0ken mine application/json", "{status}");
    }
}

#[tokio::test]
async fn another_origin_sees_neither_proof_nor_headers() {
    let other = serve(Router::new().route("/b", get(told))).await;
    let back = format!("{other}/b");
    let base = serve(Router::new().route("/a", get(move || async move { to(302, back) }))).await;
    let answer = outbound(development()).send(proved(format!("{base}/a"))).await.expect("followed");
    assert_eq!(&answer.body()[..], b"- - application/json");
}

#[tokio::test]
async fn a_chain_that_does_not_end_ends() {
    let base = serve(Router::new().route("/a", get(|| async { to(302, "/a".to_owned()) }))).await;
    let error = outbound(development()).send(proved(format!("{base}/a"))).await.expect_err("too many");
    assert!(matches!(error, OutboundError::Redirected { .. }), "{error}");
    assert_eq!(error.class(), RetryClass::Final);
}

#[tokio::test]
async fn every_hop_is_checked_like_the_first() {
    let names = Names(&[("peer.example", "127.0.0.1"), ("inner.example", "10.0.0.7")]);
    for (location, refused) in [
        ("http://127.0.0.1:1/", true),
        ("http://169.254.169.254/latest/meta-data/", true),
        ("http://[::ffff:10.0.0.7]/", true),
        ("http://inner.example/", true),
        ("http://user:pass@peer.example/", true),
        ("ftp://peer.example/", true),
        ("file:///etc/passwd", true),
        ("//0x7f.1/", true),
        ("http://peer.example:22/", true),
        ("http://[::1", true),
    ] {
        let router = Router::new().route("/a", get(move || async move { to(307, location.to_owned()) }));
        let base = serve(router).await;
        let port = base.rsplit(':').next().expect("a port");
        let allow = vec!["peer.example".parse().expect("a host")];
        let config = OutboundConfig { allow_http: true, allow, ..OutboundConfig::default() };
        let url = format!("http://peer.example:{port}/a");
        let error = named(config, names).send(proved(url)).await.expect_err(location);
        assert_eq!(matches!(error, OutboundError::Refused { .. }), refused, "{location}: {error}");
        assert_eq!(error.class(), RetryClass::Final, "{location}");
        assert!(!error.to_string().contains("user:"), "{error}");
    }
}

#[tokio::test]
async fn nobody_outside_sends_us_to_ourselves() {
    let own = serve(Router::new().route("/inside", get(told))).await;
    let there = format!("{own}/inside");
    let base = serve(Router::new().route("/a", get(move || async move { to(302, there) }))).await;
    let config = OutboundConfig { own_origins: vec![own], ..development() };
    let error = outbound(config).send(proved(format!("{base}/a"))).await.expect_err("inward");
    assert!(matches!(error, OutboundError::Refused { reason: Refusal::Inward, .. }), "{error}");
}

#[tokio::test]
async fn what_writes_is_not_sent_elsewhere() {
    let base = serve(Router::new().route("/a", routing::post(|| async { to(307, "/b".to_owned()) }))).await;
    let request = Request::post(format!("{base}/a")).json(b"{}".to_vec()).redirects_max(3);
    let error = outbound(development()).send(request).await.expect_err("not followed");
    assert!(matches!(error, OutboundError::Redirected { .. }), "{error}");
}
