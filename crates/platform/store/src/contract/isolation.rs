//! Owners and counter-parties are held apart.

use std::time::Duration;

use super::{Thing, World, assert_duplicate, assert_stale, ids};
use crate::{EventCursor, ExpectedVersion, NewEvent, NewJob, Query, StoreError, Write};

/// The same id names two things of two owners.
pub async fn two_owners_may_use_one_id(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    world.insert(&alice, &Thing::new("a", "alice's")).await;
    world.insert(&bob, &Thing::new("a", "bob's")).await;
    let tenant = world.tenant("alice");
    let mut tx = world.store.begin(&tenant);
    assert!(
        tx.load::<Thing>("a").await.expect("reads").is_none(),
        "a tenant is not a participant of its name"
    );
    tx.insert(&Thing::new("a", "the tenant's"));
    tx.commit().await.expect("commits");
    assert_eq!(world.read(&alice, "a").await.expect("is there").name, "alice's");
    assert_eq!(world.read(&bob, "a").await.expect("is there").name, "bob's");
}

/// Not by id, not by key, not in a list, not in a count.
pub async fn an_owner_never_sees_anothers_rows(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    let thing = Thing { state: Some("OPEN".to_owned()), ..Thing::with_key("a", "k") };
    world.insert(&alice, &thing).await;
    let mut tx = world.store.begin(&bob);
    assert!(tx.load::<Thing>("a").await.expect("reads").is_none());
    assert!(tx.load_by_key::<Thing>("k").await.expect("reads").is_none());
    for query in [Query::default(), Query { states: vec!["OPEN".into()], ..Query::default() }] {
        assert!(tx.list::<Thing>(&query).await.expect("lists").is_empty());
        assert_eq!(tx.count::<Thing>(&query).await.expect("counts"), 0);
    }
}

/// A save, a delete or a check of another's row finds nothing; withdrawals and cancellations touch nothing.
pub async fn an_owner_cannot_write_anothers_rows(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    let thing = Thing::new("a", "alice's");
    world
        .commit(&alice, |tx| {
            tx.insert(&thing);
            tx.enqueue(NewJob::new("work", "a", &()));
            tx.publish(crate::DirectoryRow::new("fact", "a", &1));
        })
        .await
        .expect("commits");
    let (kind, id, expected) = ("thing", "a".to_owned(), ExpectedVersion::Exactly(1));
    let document = serde_json::to_string(&Thing::new("a", "bob's")).expect("serialises");
    let put = Write::Put {
        kind,
        id: id.clone(),
        expected,
        columns: crate::Columns::default(),
        properties: None,
        document,
    };
    for write in
        [put, Write::Delete { kind, id: id.clone(), version: 1 }, Write::Check { kind, id, expected }]
    {
        assert_stale(world.write(&bob, vec![write]).await.map(drop));
    }
    world
        .commit(&bob, |tx| {
            tx.cancel_jobs("a");
            tx.withdraw("fact", "a");
        })
        .await
        .expect("commits");
    assert_eq!(world.read(&alice, "a").await, Some(thing));
    assert!(world.store.lookup("fact", "a").await.expect("reads").is_some());
    assert_eq!(world.claim("w", 10).await.len(), 1);
}

/// A counter-party's rows, and those that name nobody; nothing of another counter-party.
pub async fn a_peer_sees_only_what_names_it(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing { key: Some("k1".to_owned()), ..Thing::of_counter_party("a", "p1") }).await;
    world.insert(&alice, &Thing { key: Some("k2".to_owned()), ..Thing::of_counter_party("b", "p2") }).await;
    world.insert(&alice, &Thing::new("c", "open to all")).await;
    let peer = world.peer("alice", "p1");
    let mut tx = world.store.begin(&peer);
    assert_eq!(ids(&tx.list::<Thing>(&Query::default()).await.expect("lists")), ["a", "c"]);
    assert_eq!(tx.count::<Thing>(&Query::default()).await.expect("counts"), 2);
    assert!(tx.load::<Thing>("a").await.expect("reads").is_some());
    assert!(tx.load::<Thing>("b").await.expect("reads").is_none());
    assert!(tx.load_by_key::<Thing>("k1").await.expect("reads").is_some());
    assert!(tx.load_by_key::<Thing>("k2").await.expect("reads").is_none());
    let theirs = Query { counter_party: Some("p2".to_owned()), ..Query::default() };
    assert!(tx.list::<Thing>(&theirs).await.expect("lists").is_empty());
}

/// A peer changes its own rows; another's are as if they were not there, whether it takes, deletes or hands over.
pub async fn a_peer_cannot_write_what_names_another(world: &World) {
    use heddle_tenancy::Scope;
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::of_counter_party("a", "p1")).await;
    let (right, wrong) = (world.peer("alice", "p1"), world.peer("alice", "p2"));
    let put = |counter_party: &str, expected, id: &str| {
        let thing = Thing::of_counter_party(id, counter_party);
        let document = serde_json::to_string(&thing).expect("serialises");
        let columns = crate::Aggregate::columns(&thing);
        Write::Put { kind: "thing", id: id.to_owned(), expected, columns, properties: None, document }
    };
    let commit = async |scope: &dyn Scope, write| {
        let batch = crate::Batch::new(vec![write], world.now(), None);
        world.database().commit(scope.access(), batch).await.map(drop)
    };
    let read = ExpectedVersion::Exactly(1);
    assert_stale(commit(&wrong, put("p2", read, "a")).await);
    assert_stale(commit(&wrong, Write::Delete { kind: "thing", id: "a".to_owned(), version: 1 }).await);
    assert_stale(commit(&wrong, Write::Check { kind: "thing", id: "a".to_owned(), expected: read }).await);
    assert_stale(commit(&right, put("p2", read, "a")).await);
    assert_stale(commit(&wrong, put("p1", ExpectedVersion::Absent, "b")).await);
    assert_duplicate(commit(&wrong, put("p2", ExpectedVersion::Absent, "a")).await, "a");
    commit(&right, put("p1", read, "a")).await.expect("its own row");
    commit(&wrong, put("p2", ExpectedVersion::Absent, "c")).await.expect("a new row of its own");
}

/// The events of an owner are not a counter-party's business.
pub async fn a_peer_sees_no_events(world: &World) {
    let alice = world.participant("alice");
    world.commit(&alice, |tx| tx.emit(NewEvent::new("thing.created", "a", &()))).await.expect("commits");
    assert_eq!(super::events::follow(world, &alice, 1).await.len(), 1);
    let peer = world.peer("alice", "p1");
    assert!(world.store.events(&peer, EventCursor(0), 10).await.expect("reads").is_empty());
}

/// A lease opens nothing without the scope of the job's owner.
pub async fn a_job_of_another_owner_cannot_be_finished(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    world.commit(&alice, |tx| tx.enqueue(NewJob::new("work", "a", &()))).await.expect("commits");
    let job = world.claim("w", 1).await.pop().expect("one job");
    let lost = world.commit(&bob, |tx| tx.complete(&job)).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost { .. })), "{lost:?}");
    world.commit(&alice, |tx| tx.complete(&job)).await.expect("the owner may");
}

/// What is unique is so within one owner.
pub async fn unique_keys_and_nonces_are_per_owner(world: &World) {
    let until = world.now() + Duration::from_secs(60);
    for name in ["alice", "bob"] {
        let scope = world.participant(name);
        world.insert(&scope, &Thing::with_key("a", "k")).await;
        world.commit(&scope, |tx| tx.once("n", until)).await.expect("unseen by this owner");
    }
}
