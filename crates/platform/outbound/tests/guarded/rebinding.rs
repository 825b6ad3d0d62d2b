//! Names whose addresses change, and names with several addresses.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::support::named;
use async_trait::async_trait;
use axum::{Router, extract::State, routing::get};
use heddle_outbound::{NameLookup, OutboundConfig, OutboundError, Refusal, Request, RetryClass};
use tokio::net::TcpListener;

/// A resolver whose answer is another one each time, as an attacker's is: the one that is checked is harmless.
struct Rebinding {
    asked: Arc<AtomicUsize>,
    answers: Vec<Vec<&'static str>>,
}

#[async_trait]
impl NameLookup for Rebinding {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.get(turn).or(self.answers.last()).expect("an answer");
        Ok(answer.iter().map(|text| text.parse().expect("an address")).collect())
    }
}

/// Two servers on one port: the outer one stands at 127.0.0.2, which the configuration allows as if it were public; the
/// inner one at 127.0.0.1. Each counts its requests.
struct Two {
    port: u16,
    outer: Arc<AtomicUsize>,
    inner: Arc<AtomicUsize>,
}

async fn count(State(hits): State<Arc<AtomicUsize>>) -> String {
    hits.fetch_add(1, Ordering::SeqCst).to_string()
}

impl Two {
    async fn start() -> Self {
        let (inner, outer) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let first = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = first.local_addr().expect("an address").port();
        let second = TcpListener::bind(("127.0.0.2", port)).await.expect("the same port, next door");
        for (listener, hits) in [(first, inner.clone()), (second, outer.clone())] {
            let router = Router::new().route("/", get(count)).with_state(hits);
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        Self { port, outer, inner }
    }

    fn hits(&self) -> (usize, usize) {
        (self.outer.load(Ordering::SeqCst), self.inner.load(Ordering::SeqCst))
    }

    fn request(&self) -> Request {
        Request::get(format!("http://rebinding.example:{}/", self.port))
    }
}

fn only_the_outer_one() -> OutboundConfig {
    OutboundConfig {
        allow_http: true,
        allow: vec!["127.0.0.2".parse().expect("an address")],
        ..OutboundConfig::default()
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let two = Two::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let answers = vec![vec!["127.0.0.2"], vec!["127.0.0.1"]];
    let outbound = named(only_the_outer_one(), Rebinding { asked: asked.clone(), answers });
    outbound.send(two.request()).await.expect("the outer one");
    assert_eq!((two.hits(), asked.load(Ordering::SeqCst)), ((1, 0), 1), "one look-up, one connection");
    // The connection is kept, and nothing is looked up for it again; another client must look up and is refused.
    outbound.send(two.request()).await.expect("the same connection");
    assert_eq!((two.hits(), asked.load(Ordering::SeqCst)), ((2, 0), 1));
    let later = named(only_the_outer_one(), Rebinding { asked, answers: vec![vec!["127.0.0.1"]] });
    let error = later.send(two.request()).await.expect_err("refused");
    assert!(matches!(&error, OutboundError::Refused { reason: Refusal::Address { .. }, .. }), "{error}");
    assert_eq!(error.class(), RetryClass::Final);
    assert_eq!(two.hits(), (2, 0));
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_ones_are_tried() {
    let two = Two::start().await;
    let answers = vec![vec!["127.0.0.1", "10.0.0.7", "::1", "::ffff:127.0.0.1", "127.0.0.2"]];
    let outbound = named(only_the_outer_one(), Rebinding { asked: Arc::default(), answers });
    outbound.send(two.request()).await.expect("the outer one");
    assert_eq!(two.hits(), (1, 0));
}

/// Even when the allowed address does not answer, the others are not tried.
#[tokio::test]
async fn an_allowed_address_that_does_not_answer_is_not_replaced() {
    let two = Two::start().await;
    let asked: Arc<AtomicUsize> = Arc::default();
    let config =
        OutboundConfig { allow: vec!["127.0.0.3".parse().expect("an address")], ..only_the_outer_one() };
    let answers = vec![vec!["127.0.0.3", "127.0.0.1"]];
    let outbound = named(config, Rebinding { asked, answers });
    let error = outbound.send(two.request()).await.expect_err("nobody listens there");
    assert!(matches!(error.class(), RetryClass::Retry { .. }), "{error}");
    assert_eq!(two.hits(), (0, 0));
}
