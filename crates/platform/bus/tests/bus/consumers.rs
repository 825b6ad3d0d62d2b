//! Consumers, on both databases: what they do happens once, and they go on where they were.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use heddle_bus::{Audience, Consumer, EventHandler};
use heddle_clock::Environment;
use heddle_store::{
    Aggregate, Batch, Database, Event, EventCursor, NewEvent, Receipt, Store, StoreError, Transaction,
    testing::{Commits, Intercepted},
};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::Access;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::support::{HOURS, PATIENCE, alice, replica, url};

/// Writes subjects down, and counts how often it was called; fails at one subject.
#[derive(Default)]
struct Counting {
    calls: AtomicU64,
    poison: Option<&'static str>,
}

#[async_trait]
impl EventHandler for Counting {
    async fn handle(&self, event: &Event, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.poison == Some(event.subject.as_str()) {
            return Err(StoreError::Unusable { reason: "poison".to_owned() });
        }
        let entry = Entry { place: event.cursor.0.to_string(), subject: event.subject.clone() };
        transaction.insert(&entry);
        Ok(())
    }
}

/// What follows from one event. A second one about the same event could not be inserted.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    place: String,
    subject: String,
}

impl Aggregate for Entry {
    const KIND: &'static str = "entry";

    fn id(&self) -> &str {
        &self.place
    }
}

async fn emit(store: &Store, subjects: std::ops::Range<u32>) {
    for n in subjects {
        let alice = alice();
        let mut transaction = store.begin(&alice);
        transaction.emit(NewEvent::new("e", n.to_string(), &()));
        transaction.commit().await.expect("commits");
    }
}

async fn entries(store: &Store) -> Vec<String> {
    let alice = alice();
    let mut transaction = store.begin(&alice);
    let all = transaction.list::<Entry>(&heddle_store::Query::default()).await.expect("reads");
    let mut all: Vec<Entry> = all.into_iter().map(heddle_store::Loaded::into_value).collect();
    all.sort_by_key(|entry| entry.place.parse::<u64>().expect("a place"));
    all.into_iter().map(|entry| entry.subject).collect()
}

fn consumer(store: &Store, handler: &Arc<Counting>) -> Consumer {
    Consumer::new(store.clone(), "test", Audience::Participant(alice()), handler.clone())
}

/// Runs consumers until so many entries are there.
async fn run_until(store: &Store, consumers: &[Consumer], wanted: usize) {
    let stop = Notify::new();
    let watch = async {
        let mut signal = store.signals().events();
        while entries(store).await.len() < wanted {
            drop(tokio::time::timeout(std::time::Duration::from_millis(50), signal.changed()).await);
        }
        stop.notify_waiters();
    };
    let running = consumers.iter().map(|consumer| consumer.run(stop.notified()));
    let all = async { tokio::join!(futures::future::join_all(running), watch).0 };
    let ended = tokio::time::timeout(PATIENCE, all).await.expect("in time");
    ended.into_iter().for_each(|ended| ended.expect("no consumer fails"));
}

fn subjects(count: u32) -> Vec<String> {
    (0..count).map(|n| n.to_string()).collect()
}

async fn sqlite() -> Arc<dyn Database> {
    Arc::new(SqliteDatabase::temporary(&Environment::system()).await.expect("a database"))
}

async fn goes_on_where_it_was(store: &Store) {
    emit(store, 0..5).await;
    run_until(store, &[consumer(store, &Arc::default())], 5).await;
    emit(store, 5..8).await;
    let later = Arc::new(Counting::default());
    run_until(store, &[consumer(store, &later)], 8).await;
    assert_eq!(later.calls.load(Ordering::SeqCst), 3, "what was handled is not handled again");
    assert_eq!(entries(store).await, subjects(8));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_goes_on_where_it_was() {
    goes_on_where_it_was(&Store::new(sqlite().await, Environment::system())).await;
    goes_on_where_it_was(&replica(&url().await, HOURS).await.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_of_one_name_on_two_replicas_share_the_events() {
    let url = url().await;
    let ((one, _), (other, _)) = (replica(&url, HOURS).await, replica(&url, HOURS).await);
    let consumers = [consumer(&one, &Arc::default()), consumer(&other, &Arc::default())];
    tokio::join!(run_until(&one, &consumers, 60), emit(&one, 0..30), emit(&other, 30..60));
    let mut handled = entries(&one).await;
    handled.sort_by_key(|subject| subject.parse::<u32>().expect("a number"));
    assert_eq!(handled, subjects(60), "each once");
}

/// Of the commits with entries every other one fails, before the database has seen it or after.
struct Shaky(AtomicU64);

#[async_trait]
impl Commits for Shaky {
    async fn commit(
        &self,
        database: &dyn Database,
        access: Access,
        batch: Batch,
    ) -> Result<Receipt, StoreError> {
        let unavailable = || StoreError::Unavailable { reason: "on purpose".to_owned() };
        match self.0.fetch_add(1, Ordering::SeqCst) % 4 {
            0 => Err(unavailable()),
            2 => {
                database.commit(access, batch).await?;
                Err(unavailable())
            }
            _ => database.commit(access, batch).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_consumer_does_happens_once_although_its_commits_fail() {
    let database = sqlite().await;
    let store = Store::new(database.clone(), Environment::system());
    let shaky =
        Store::new(Arc::new(Intercepted::new(database, Shaky(AtomicU64::new(0)))), Environment::system());
    let handler = Arc::new(Counting::default());
    emit(&store, 0..200).await;
    run_until(&store, &[consumer(&shaky, &handler)], 200).await;
    assert_eq!(entries(&store).await, subjects(200));
    assert!(handler.calls.load(Ordering::SeqCst) > 200, "a commit that failed was made again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_cannot_be_handled_ends_the_consumer_and_is_not_passed_over() {
    let store = Store::new(sqlite().await, Environment::system());
    emit(&store, 0..3).await;
    let poisoned = Arc::new(Counting { poison: Some("1"), ..Counting::default() });
    let error = consumer(&store, &poisoned).run(std::future::pending()).await.expect_err("it ends");
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    run_until(&store, &[consumer(&store, &Arc::default())], 3).await;
    assert_eq!(entries(&store).await, subjects(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_consumer_may_begin_behind_what_was() {
    let store = Store::new(sqlite().await, Environment::system());
    emit(&store, 0..3).await;
    let newest: EventCursor = store.newest_event().await.expect("reads");
    emit(&store, 3..5).await;
    run_until(&store, &[consumer(&store, &Arc::default()).beginning_after(newest)], 2).await;
    assert_eq!(entries(&store).await, ["3", "4"]);
}
