//! `did:web` against a real server.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing};
use heddle_clock::{Environment, FixedClock, SystemRng, Timestamp};
use heddle_did::{Did, web::Scheme};
use heddle_outbound::{DidResolver, Outbound, OutboundConfig, ResolveError, RetryClass};

/// A host that counts requests and answers what it is told to.
#[derive(Clone)]
struct Host {
    asked: Arc<AtomicUsize>,
    answer: Arc<Mutex<(StatusCode, String)>>,
    did: Did,
    clock: FixedClock,
}

async fn document(State(host): State<Host>) -> impl IntoResponse {
    host.asked.fetch_add(1, Ordering::SeqCst);
    host.answer.lock().expect("unpoisoned").clone()
}

impl Host {
    async fn start() -> (Self, DidResolver) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let did = Did::parse(&format!("did:web:localhost%3A{port}:alice")).expect("a DID");
        let clock = FixedClock::at(Timestamp::from_seconds(1_000_000));
        let host = Self {
            asked: Arc::default(),
            answer: Arc::new(Mutex::new((StatusCode::OK, format!("{{\"id\":\"{did}\"}}")))),
            did,
            clock: clock.clone(),
        };
        let router = Router::new().route("/alice/did.json", routing::get(document)).with_state(host.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config =
            OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
        let environment = Environment::new(Arc::new(clock), Arc::new(SystemRng));
        let outbound = Outbound::new(config, environment).expect("a client");
        (host, DidResolver::new(outbound, Scheme::Http))
    }

    fn answers(&self, status: StatusCode, body: impl Into<String>) {
        *self.answer.lock().expect("unpoisoned") = (status, body.into());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_document_is_fetched_once_for_five_minutes() {
    let (host, resolver) = Host::start().await;
    let all = futures::future::join_all((0..20).map(|_| resolver.resolve(&host.did))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(host.asked(), 1, "callers at once must share one request");
    host.clock.advance(Duration::from_secs(299));
    resolver.resolve(&host.did).await.expect("known");
    assert_eq!(host.asked(), 1);
    host.clock.advance(Duration::from_secs(1));
    resolver.resolve(&host.did).await.expect("fetched again");
    assert_eq!(host.asked(), 2);
}

#[tokio::test]
async fn a_refresh_asks_again_but_at_most_once_a_second() {
    let (host, resolver) = Host::start().await;
    resolver.resolve(&host.did).await.expect("fetched");
    resolver.refresh(&host.did).await.expect("known");
    assert_eq!(host.asked(), 1, "fetched within this second");
    host.clock.advance(Duration::from_secs(1));
    let all = futures::future::join_all((0..5).map(|_| resolver.refresh(&host.did))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(host.asked(), 2);
}

#[tokio::test]
async fn a_host_that_is_down_does_not_take_a_good_document_away() {
    let (host, resolver) = Host::start().await;
    resolver.resolve(&host.did).await.expect("fetched");
    host.answers(StatusCode::BAD_GATEWAY, "");
    host.clock.advance(Duration::from_secs(2));
    resolver.refresh(&host.did).await.expect("the known one");
    resolver.refresh(&host.did).await.expect("the known one");
    assert_eq!(host.asked(), 2, "a failed request counts for the rate");
    host.clock.advance(Duration::from_secs(298));
    assert!(resolver.resolve(&host.did).await.is_err(), "it is not used for longer than five minutes");
}

#[tokio::test]
async fn a_failure_is_remembered_for_ten_seconds() {
    let (host, resolver) = Host::start().await;
    host.answers(StatusCode::NOT_FOUND, "");
    let error = resolver.resolve(&host.did).await.expect_err("404");
    assert_eq!(error.class(), RetryClass::RetryBriefly);
    host.answers(StatusCode::OK, format!("{{\"id\":\"{}\"}}", host.did));
    assert!(resolver.resolve(&host.did).await.is_err(), "still remembered");
    assert_eq!(host.asked(), 1);
    host.clock.advance(Duration::from_secs(10));
    resolver.resolve(&host.did).await.expect("asked again");
}

#[tokio::test]
async fn a_document_of_somebody_else_or_none_is_unusable() {
    let (host, resolver) = Host::start().await;
    for body in ["{\"id\":\"did:web:localhost:mallory\"}".to_owned(), "{}".to_owned(), "<html>".to_owned()] {
        host.answers(StatusCode::OK, body.clone());
        host.clock.advance(Duration::from_secs(10));
        let error = resolver.resolve(&host.did).await.expect_err("unusable");
        assert!(matches!(error, ResolveError::Unusable { .. }), "{body}: {error}");
        assert_eq!(error.class(), RetryClass::Final);
    }
    host.answers(StatusCode::OK, " ".repeat(heddle_did::DOCUMENT_BYTES_MAX + 1));
    host.clock.advance(Duration::from_secs(10));
    let error = resolver.resolve(&host.did).await.expect_err("too large");
    assert!(matches!(error, ResolveError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn strangers_are_asked_only_at_public_addresses() {
    let outbound = Outbound::new(OutboundConfig::default(), Environment::system()).expect("a client");
    let resolver = DidResolver::new(outbound, Scheme::Https);
    for text in ["did:web:localhost", "did:web:127.0.0.1", "did:web:2130706433", "did:web:127.1%3A8443:a"] {
        let did = Did::parse(text).expect("a DID");
        let error = resolver.resolve(&did).await.expect_err(text);
        assert_eq!(error.class(), RetryClass::Final, "{text}: {error}");
        assert!(
            error.to_string().contains("is not asked") || error.to_string().contains("cannot be used"),
            "{error}"
        );
    }
    for text in
        ["did:web:good.example%40evil.example", "did:web:peer.example:..:x", "did:web:peer.example:a%2Fb"]
    {
        let did = Did::parse(text).expect("a DID");
        assert!(matches!(resolver.resolve(&did).await, Err(ResolveError::Unusable { .. })), "{text}");
    }
    let other = Did::parse("did:ion:abc").expect("a DID");
    assert!(matches!(resolver.resolve(&other).await, Err(ResolveError::Unusable { .. })));
}

#[tokio::test]
async fn the_own_host_is_asked_by_its_own_scheme() {
    let (host, _) = Host::start().await;
    let port = host.did.as_str().split("%3A").nth(1).and_then(|rest| rest.split(':').next()).expect("a port");
    let own_origins = vec![format!("http://localhost:{port}")];
    let config = OutboundConfig { own_origins, ..OutboundConfig::default() };
    let outbound = Outbound::new(config, Environment::system()).expect("a client");
    DidResolver::new(outbound, Scheme::Https).resolve(&host.did).await.expect("over http");
}
