//! `Idempotency-Key` over a socket and a real database: one effect, one answer.

use std::sync::Arc;

use crate::support::{Answer, Server};
use axum::{Router, extract::State, response::Response, routing::post};
use heddle_clock::{Environment, FixedClock, SystemRng, Timestamp};
use heddle_ids::ParticipantContextId;
use heddle_store::{Aggregate, Query, Store};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, ParticipantScope, ScopeIssuer};
use heddle_web::{ANSWER_LIFETIME, IdempotentJson, Management, Refused, Reply, ServerLimits, Surface};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use tokio::sync::Barrier;

#[derive(Debug, Serialize, Deserialize)]
struct Thing {
    id: String,
}

impl Aggregate for Thing {
    const KIND: &'static str = "thing";
    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Debug, Deserialize)]
struct NewThing {
    id: Option<String>,
}

#[derive(Clone)]
struct World {
    store: Store,
    scope: Arc<ParticipantScope>,
    clock: FixedClock,
    /// When set, requests wait for each other between looking and writing.
    together: Option<Arc<Barrier>>,
}

async fn create(
    State(world): State<World>,
    IdempotentJson(new, idempotency, ..): IdempotentJson<NewThing, Management>,
) -> Result<Response, Refused<Management>> {
    let (store, scope) = (&world.store, &*world.scope);
    let mut transaction = store.begin(scope);
    if let Some(earlier) = idempotency.earlier(&mut transaction, "alice").await? {
        return Ok(earlier);
    }
    if let Some(together) = &world.together {
        together.wait().await;
    }
    let thing = Thing { id: new.id.unwrap_or_else(|| store.environment().uuid()) };
    transaction.insert(&thing);
    let reply =
        Reply::json(StatusCode::OK, &thing).with_header(&header::LOCATION, format!("/things/{}", thing.id));
    Ok(idempotency.conclude((store, scope), transaction, "alice", reply).await?)
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "the test stands in for the composition root")]
    async fn new(together: Option<usize>) -> (Self, Server) {
        let clock = FixedClock::at(Timestamp::from_seconds(1_000_000));
        let environment = Environment::new(Arc::new(clock.clone()), Arc::new(SystemRng));
        let database = SqliteDatabase::temporary(&environment).await.expect("a database");
        let store = Store::new(Arc::new(database), environment.clone());
        let context = ParticipantContextId::parse("alice").expect("legal");
        let scope = Arc::new(ScopeIssuer::new().participant(context, Actor::new("alice")));
        let together = together.map(|requests| Arc::new(Barrier::new(requests)));
        let world = Self { store, scope, clock, together };
        let router = Router::new().route("/things", post(create)).with_state(world.clone());
        let router = Surface::<Management>::new("test", environment).finish(router);
        (world, Server::start(router, ServerLimits::default()).await)
    }

    async fn things(&self) -> u64 {
        self.store.begin(&*self.scope).count::<Thing>(&Query::default()).await.expect("counted")
    }
}

async fn ask(server: &Server, key: &str, body: &str) -> Answer {
    let headers = format!("content-type: application/json\r\nidempotency-key: {key}\r\n");
    server.ask("POST", "/things", &headers, body).await
}

#[tokio::test]
async fn a_repetition_gets_the_first_answer() {
    let (world, server) = World::new(None).await;
    let first = ask(&server, "k", "{}").await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None), "{first:?}");
    let second = ask(&server, "k", "{}").await;
    assert_eq!((second.status, second.header("idempotency-replayed")), (200, Some("true")), "{second:?}");
    assert_eq!(second.body, first.body);
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(second.header("content-type"), Some("application/json"));
    assert_eq!(world.things().await, 1);

    let other_key = ask(&server, "l", "{}").await;
    assert_ne!(other_key.body, first.body);
    let without = server.ask("POST", "/things", "content-type: application/json\r\n", "{}").await;
    assert_eq!(without.header("idempotency-replayed"), None);
    assert_eq!(world.things().await, 3);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let (world, server) = World::new(None).await;
    ask(&server, "k", "{}").await;
    let other = ask(&server, "k", "{\"id\":\"x\"}").await;
    assert_eq!(other.status, 422, "{other:?}");
    assert_eq!(world.things().await, 1);
    for bad in ["two words", &"k".repeat(256)] {
        assert_eq!(ask(&server, bad, "{}").await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn two_at_once_have_one_effect_and_one_answer() {
    // Once with ids that collide before the answers do, once with the answers alone.
    for body in ["{\"id\":\"same\"}", "{}"] {
        let (world, server) = World::new(Some(2)).await;
        let (one, two) = tokio::join!(ask(&server, "k", body), ask(&server, "k", body));
        assert_eq!((one.status, two.status), (200, 200), "{one:?} {two:?}");
        assert_eq!(one.body, two.body);
        let replayed =
            [&one, &two].iter().filter(|answer| answer.header("idempotency-replayed").is_some()).count();
        assert_eq!(replayed, 1);
        assert_eq!(world.things().await, 1);
    }
}

#[tokio::test]
async fn what_is_taken_by_somebody_else_is_still_a_conflict() {
    let (world, server) = World::new(None).await;
    ask(&server, "k", "{\"id\":\"x\"}").await;
    let other = ask(&server, "l", "{\"id\":\"x\"}").await;
    assert_eq!(other.status, 409, "{other:?}");
    assert_eq!(ask(&server, "l", "{\"id\":\"x\"}").await.status, 409, "a refusal is not remembered");
    assert_eq!(world.things().await, 1);
}

#[tokio::test]
async fn an_answer_is_forgotten_after_a_day() {
    let (world, server) = World::new(None).await;
    let first = ask(&server, "k", "{}").await;
    world.clock.advance(ANSWER_LIFETIME);
    let second = ask(&server, "k", "{}").await;
    assert_eq!((second.status, second.header("idempotency-replayed")), (200, None), "{second:?}");
    assert_ne!(second.body, first.body);
    assert_eq!(world.things().await, 2);
}
