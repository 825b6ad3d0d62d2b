//! Events: an order that a cursor can follow.

use std::{collections::BTreeMap, time::Duration};

use heddle_tenancy::{Actor, Scope};

use super::World;
use crate::{Event, EventCursor, NewEvent};

/// Reads all events of a scope from the beginning, until there are `count`.
pub(super) async fn follow(world: &World, scope: &dyn Scope, count: usize) -> Vec<Event> {
    let mut signal = world.store.signals().events();
    let mut all: Vec<Event> = Vec::new();
    let reading = async {
        loop {
            signal.mark_unchanged();
            let after = all.last().map_or(EventCursor(0), |event| event.cursor);
            let page = world.store.events(scope, after, 7).await.expect("reads");
            let found = page.len();
            all.extend(page);
            if all.len() >= count {
                return;
            }
            if found == 0 {
                signal.changed().await.expect("open");
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading).await.expect("the events become visible");
    all
}

/// Events come in the order of their commits, once each, with what they were emitted with.
pub async fn events_are_read_in_order_after_a_cursor(world: &World) {
    let alice = world.participant("alice");
    assert_eq!(world.store.newest_event().await.expect("reads"), EventCursor(0));
    let emit = |tx: &mut crate::Transaction<'_>| {
        tx.emit(NewEvent::new("thing.created", "a", &1));
        tx.emit(NewEvent::new("thing.changed", "a", &2));
    };
    world.commit(&alice, emit).await.expect("commits");
    world.commit(&alice, |tx| tx.emit(NewEvent::new("thing.deleted", "a", &3))).await.expect("commits");
    let events = follow(world, &alice, 3).await;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["thing.created", "thing.changed", "thing.deleted"]);
    assert!(events.iter().all(|event| event.subject == "a" && event.at == world.now()));
    assert_eq!(events.iter().map(|event| event.payload.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(events.iter().map(|event| event.cursor.0).collect::<Vec<_>>(), [1, 2, 3]);
    let rest = world.store.events(&alice, events[1].cursor, 10).await.expect("reads");
    assert_eq!(rest, events[2..]);
    assert_eq!(world.store.newest_event().await.expect("reads"), events[2].cursor);
    for place in 4..24 {
        world.commit(&alice, |tx| tx.emit(NewEvent::new("thing.created", "b", &4))).await.expect("commits");
        let newest = world.store.newest_event().await.expect("reads");
        assert_eq!(newest, EventCursor(place), "whatever was committed before is not newer");
    }
    let beyond =
        world.store.events(&alice, EventCursor(u64::MAX), 10).await.expect("a cursor of anybody's making");
    assert!(beyond.is_empty());
}

/// An owner reads its own events alone.
pub async fn events_of_others_are_not_read(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    for scope in [&alice, &bob] {
        world.commit(scope, |tx| tx.emit(NewEvent::new("e", "s", &()))).await.expect("commits");
    }
    assert_eq!(follow(world, &alice, 1).await.len(), 1);
    assert_eq!(follow(world, &bob, 1).await.len(), 1);
    let events = world.store.events(&alice, EventCursor(0), 10).await.expect("reads");
    assert!(events.iter().all(|event| event.owner.to_string() == "p:alice"));
    assert!(
        world.store.events(&world.participant("carol"), EventCursor(0), 10).await.expect("reads").is_empty()
    );
}

/// An operator reads the installation's and the tenants' events, and no participant's.
pub async fn the_management_plane_sees_no_participants_events(world: &World) {
    let operator = world.scopes.operator(Actor::new("operator"));
    let (alice, tenant) = (world.participant("alice"), world.tenant("acme"));
    for scope in [&alice as &dyn Scope, &tenant, &operator] {
        let mut tx = world.store.begin(scope);
        tx.emit(NewEvent::new("e", "s", &()));
        tx.commit().await.expect("commits");
    }
    follow(world, &operator, 1).await;
    follow(world, &tenant, 1).await;
    let events = world.store.management_events(&operator, EventCursor(0), 10).await.expect("reads");
    let owners: Vec<String> = events.iter().map(|event| event.owner.to_string()).collect();
    assert_eq!(owners, ["t:acme", "i"]);
}

/// A reader that polls while eight writers commit sees every event once, in order, and per writer as it wrote.
pub async fn a_cursor_never_skips_while_others_write(world: &World) {
    const WRITERS: u64 = 8;
    const COMMITS: u64 = 40;
    let alice = world.participant("alice");
    let write = async |writer: u64| {
        for n in 0..COMMITS {
            // Some commits fail; they must leave no hole.
            let fails = n % 5 == 4;
            let commit = world
                .commit(&alice, |tx| {
                    tx.emit(NewEvent::new("e", writer.to_string(), &n));
                    if fails {
                        tx.once("taken", world.now());
                        tx.once("taken", world.now());
                    }
                })
                .await;
            assert_eq!(commit.is_err(), fails);
        }
    };
    let total = WRITERS * COMMITS * 4 / 5;
    let writing = futures::future::join_all((0..WRITERS).map(write));
    let (events, _) = futures::join!(follow(world, &alice, usize::try_from(total).expect("small")), writing);
    let places: Vec<u64> = events.iter().map(|event| event.cursor.0).collect();
    assert_eq!(places, (1..=total).collect::<Vec<u64>>());
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for event in &events {
        let n: u64 = event.payload.parse().expect("a number");
        let before = last.insert(&event.subject, n);
        assert!(before.is_none_or(|before| before < n), "{}: {before:?} then {n}", event.subject);
    }
    let again = follow(world, &alice, usize::try_from(total).expect("small")).await;
    assert_eq!(again, events, "the order does not change afterwards");
}
