//! Whoever follows events with a cursor misses none, however commits overtake one another.
//!
//! Writers with sessions of their own take numbers (`seq`) when they insert and commit long after, in an order that a
//! seed decides, some never; others commit at once through the store, of two processes; a reader follows all the time.

use std::collections::{BTreeMap, BTreeSet};

use heddle_clock::SeededRng;
use heddle_store::{EventCursor, NewEvent, Store};
use heddle_tenancy::ParticipantScope;
use tokio_postgres::{Client, NoTls};

use crate::support::{PATIENCE, commit, connect_with, options, participant, store, url};

const SLOW_WRITERS: usize = 6;
const ROUNDS: u64 = 40;
const QUICK_WRITERS: u64 = 4;
const QUICK_COMMITS: u64 = 60;

/// A session of the test's own.
async fn session(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connects");
    tokio::spawn(connection);
    client
}

/// Inserts events as the store does, and does not commit.
async fn begin(client: &Client, subject: &str, events: u64) {
    let begin = "BEGIN; SET LOCAL ROLE heddle_app; SELECT set_config('heddle.owner', 'p:alice', true)";
    client.batch_execute(begin).await.expect("begins");
    for n in 0..events {
        let insert =
            "INSERT INTO heddle.event (owner, kind, subject, payload, at) VALUES ('p:alice', 'e', $1, $2, 0)";
        client.execute(insert, &[&subject, &n.to_string()]).await.expect("inserts");
    }
}

/// Sessions that hold their commits back, and let them go in an order of chance. Gives what was committed.
async fn slow(url: &str, seed: u64) -> BTreeMap<String, u64> {
    let random = SeededRng::new(seed);
    let mut sessions = Vec::new();
    for _ in 0..SLOW_WRITERS {
        sessions.push((session(url).await, None::<(String, u64)>));
    }
    let mut committed = BTreeMap::new();
    for round in 0..ROUNDS * SLOW_WRITERS as u64 {
        let which = usize::try_from(random.below(SLOW_WRITERS as u64)).expect("small");
        let (client, open) = &mut sessions[which];
        match open.take() {
            None => {
                let (subject, events) = (format!("slow {round}"), 1 + random.below(3));
                begin(client, &subject, events).await;
                *open = Some((subject, events));
            }
            Some((subject, events)) if random.below(4) > 0 => {
                client.batch_execute("COMMIT").await.expect("commits");
                committed.insert(subject, events);
            }
            Some(_) => client.batch_execute("ROLLBACK").await.expect("rolls back"),
        }
    }
    for (client, open) in sessions {
        // The oldest numbers of all come last.
        client.batch_execute("COMMIT").await.expect("commits");
        committed.extend(open);
    }
    committed
}

async fn quick(store: &Store, scope: &ParticipantScope, writer: u64) {
    for n in 0..QUICK_COMMITS {
        let emit = |tx: &mut heddle_store::Transaction<'_>| {
            tx.emit(NewEvent::new("e", format!("quick {writer}"), &n));
        };
        commit(store, scope, emit).await.expect("commits");
    }
}

/// Follows until `last` is seen, and for every page looks that it goes on where the last one ended.
async fn follow(store: &Store, scope: &ParticipantScope, seed: u64, last: &str) -> Vec<(String, String)> {
    let random = SeededRng::new(seed);
    let mut signal = store.signals().events();
    let (mut cursor, mut seen) = (EventCursor(0), Vec::new());
    loop {
        signal.mark_unchanged();
        let limit = u32::try_from(1 + random.below(9)).expect("small");
        let page = store.events(scope, cursor, limit).await.expect("reads");
        if page.is_empty() {
            tokio::time::timeout(PATIENCE, signal.changed()).await.expect("in time").expect("open");
        }
        for event in page {
            assert_eq!(event.cursor.0, cursor.0 + 1, "places have no gaps");
            cursor = event.cursor;
            if event.subject == last {
                return seen;
            }
            seen.push((event.subject, event.payload));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_sees_every_event_once_however_commits_overtake_one_another() {
    let url = url().await;
    let one = store(connect_with(&url, &options()).await.expect("connects"));
    let other = store(connect_with(&url, &options()).await.expect("connects"));
    let alice = participant("alice");
    let write = async {
        let quick_ones = (0..QUICK_WRITERS).map(|n| quick(if n % 2 == 0 { &one } else { &other }, &alice, n));
        let (a, b, _) = tokio::join!(slow(&url, 11), slow(&url, 12), futures::future::join_all(quick_ones));
        // It is committed when all others are, and placed after them.
        one.newest_event().await.expect("places all");
        commit(&one, &alice, |tx| tx.emit(NewEvent::new("e", "last", &()))).await.expect("commits");
        (a, b)
    };
    let (seen, again, (mut committed, more)) =
        tokio::join!(follow(&one, &alice, 1, "last"), follow(&other, &alice, 2, "last"), write);
    assert_eq!(seen, again, "all readers see one order");
    for (subject, events) in more {
        *committed.entry(subject).or_default() += events;
    }
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    let mut quick_last: BTreeMap<&str, u64> = BTreeMap::new();
    for (subject, payload) in &seen {
        if subject.starts_with("slow") {
            *found.entry(subject.clone()).or_default() += 1;
        } else {
            let n: u64 = payload.parse().expect("a number");
            let before = quick_last.insert(subject, n);
            assert_eq!(before.map_or(0, |before| before + 1), n, "{subject} in its own order");
        }
    }
    assert_eq!(found, committed, "what was committed, and nothing else");
    let complete: BTreeSet<u64> = quick_last.values().copied().collect();
    assert_eq!((quick_last.len() as u64, complete), (QUICK_WRITERS, BTreeSet::from([QUICK_COMMITS - 1])));
    for store in [one, other] {
        store.database().close().await;
    }
}
