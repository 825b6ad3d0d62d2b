//! Documents: compare and set, snapshots, atomicity.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use heddle_tenancy::Scope;

use super::{Thing, World, assert_duplicate, assert_stale};
use crate::{
    Answer, AnswerKey, Columns, EventCursor, ExpectedVersion, Lease, NewEvent, NewJob, Selector, StoreError,
    Write,
};

/// What is inserted is read back, with version 1.
pub async fn a_new_aggregate_is_read_back(world: &World) {
    let alice = world.participant("alice");
    let thing = Thing { due_at: Some(world.now()), ..Thing::with_key("a", "k") };
    world.insert(&alice, &thing).await;
    let mut tx = world.store.begin(&alice);
    let loaded = tx.load::<Thing>("a").await.expect("reads").expect("is there");
    assert_eq!((loaded.value(), loaded.version()), (&thing, 1));
    let by_key = tx.load_by_key::<Thing>("k").await.expect("reads").expect("is there");
    assert_eq!(by_key.value(), &thing);
    assert!(tx.load::<Thing>("b").await.expect("reads").is_none());
    assert!(tx.load_by_key::<Thing>("a").await.expect("reads").is_none());
}

/// A save replaces document and columns and counts up.
pub async fn a_save_replaces_and_counts_versions(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::new("a", "one")).await;
    for (version, name) in [(1, "two"), (2, "three")] {
        let mut tx = world.store.begin(&alice);
        let loaded = tx.load::<Thing>("a").await.expect("reads").expect("is there");
        assert_eq!(loaded.version(), version);
        tx.save(&loaded, &Thing::new("a", name));
        tx.commit().await.expect("commits");
    }
    assert_eq!(world.read(&alice, "a").await.expect("is there").name, "three");
}

/// A deleted aggregate is gone, and its id is free.
pub async fn a_deleted_aggregate_is_gone(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::with_key("a", "k")).await;
    let mut tx = world.store.begin(&alice);
    let loaded = tx.load::<Thing>("a").await.expect("reads").expect("is there");
    tx.delete(&loaded);
    tx.commit().await.expect("commits");
    assert!(world.read(&alice, "a").await.is_none());
    world.insert(&alice, &Thing::with_key("a", "k")).await;
}

/// Who has read an older version does not overwrite a newer one.
pub async fn a_save_of_an_old_version_is_stale(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::new("a", "one")).await;
    let mut slow = world.store.begin(&alice);
    let old = slow.load::<Thing>("a").await.expect("reads").expect("is there");
    let mut fast = world.store.begin(&alice);
    let same = fast.load::<Thing>("a").await.expect("reads").expect("is there");
    fast.save(&same, &Thing::new("a", "fast"));
    fast.commit().await.expect("commits");
    slow.save(&old, &Thing::new("a", "slow"));
    assert_stale(slow.commit().await);
    assert_eq!(world.read(&alice, "a").await.expect("is there").name, "fast");
}

/// What follows a commit is done once, when the commit has succeeded, and never for one that failed or was dropped.
pub async fn what_follows_a_commit_is_done_when_it_has_succeeded(world: &World) {
    let alice = world.participant("alice");
    let done = Arc::new(Mutex::new(Vec::new()));
    let follow = |what: &'static str| {
        let done = done.clone();
        move || done.lock().expect("unpoisoned").push(what)
    };
    let mut good = world.store.begin(&alice);
    good.insert(&Thing::new("a", "one"));
    good.when_committed(follow("first"));
    good.when_committed(follow("second"));
    assert!(done.lock().expect("unpoisoned").is_empty(), "nothing is committed yet");
    good.commit().await.expect("commits");
    let mut late = world.store.begin(&alice);
    late.insert(&Thing::new("a", "two"));
    late.when_committed(follow("failed"));
    assert_duplicate(late.commit().await, "a");
    let mut dropped = world.store.begin(&alice);
    dropped.when_committed(follow("dropped"));
    drop(dropped);
    assert_eq!(*done.lock().expect("unpoisoned"), ["first", "second"]);
}

/// Who has read an older version does not delete a newer one.
pub async fn a_delete_of_an_old_version_is_stale(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::new("a", "one")).await;
    let delete = |version| vec![Write::Delete { kind: "thing", id: "a".to_owned(), version }];
    assert_stale(world.write(&alice, delete(2)).await.map(drop));
    world.write(&alice, delete(1)).await.expect("the right version is deleted");
    assert_stale(world.write(&alice, delete(1)).await.map(drop));
}

/// A check holds a commit to what was read, or to absence.
pub async fn a_check_fails_when_the_row_has_moved(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::new("a", "one")).await;
    let check = |id: &str, expected| vec![Write::Check { kind: "thing", id: id.to_owned(), expected }];
    world.write(&alice, check("a", ExpectedVersion::Exactly(1))).await.expect("it is as it was read");
    world.write(&alice, check("b", ExpectedVersion::Absent)).await.expect("it is absent");
    assert_stale(world.write(&alice, check("a", ExpectedVersion::Exactly(2))).await.map(drop));
    assert_stale(world.write(&alice, check("a", ExpectedVersion::Absent)).await.map(drop));
    assert_stale(world.write(&alice, check("b", ExpectedVersion::Exactly(1))).await.map(drop));
}

/// An id is taken once per owner and kind.
pub async fn a_second_row_of_an_id_is_a_duplicate(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::new("a", "one")).await;
    assert_duplicate(world.commit(&alice, |tx| tx.insert(&Thing::new("a", "two"))).await, "a");
    assert_eq!(world.read(&alice, "a").await.expect("is there").name, "one");
}

/// A unique key is taken once, by inserts and by saves.
pub async fn a_second_row_of_a_unique_key_is_a_duplicate(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::with_key("a", "k")).await;
    assert_duplicate(world.commit(&alice, |tx| tx.insert(&Thing::with_key("b", "k"))).await, "k");
    world.insert(&alice, &Thing::with_key("b", "other")).await;
    let mut tx = world.store.begin(&alice);
    let loaded = tx.load::<Thing>("b").await.expect("reads").expect("is there");
    tx.save(&loaded, &Thing::with_key("b", "k"));
    assert_duplicate(tx.commit().await, "k");
}

/// A row without its key any more leaves it to others.
pub async fn a_key_that_was_given_up_is_free(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::with_key("a", "k")).await;
    let mut tx = world.store.begin(&alice);
    let loaded = tx.load::<Thing>("a").await.expect("reads").expect("is there");
    tx.save(&loaded, &Thing::new("a", "keyless"));
    tx.insert(&Thing::with_key("b", "k"));
    tx.commit().await.expect("the key was given up before it was taken");
}

/// All reads of one transaction are as of its first.
pub async fn a_snapshot_does_not_see_later_commits(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::new("a", "before")).await;
    let mut reader = world.store.begin(&alice);
    assert_eq!(reader.count::<Thing>(&crate::Query::default()).await.expect("counts"), 1);
    let mut tx = world.store.begin(&alice);
    let loaded = tx.load::<Thing>("a").await.expect("reads").expect("is there");
    tx.save(&loaded, &Thing::new("a", "after"));
    tx.insert(&Thing::new("b", "new"));
    tx.commit().await.expect("commits");
    assert_eq!(reader.load::<Thing>("a").await.expect("reads").expect("is there").name, "before");
    assert!(reader.load::<Thing>("b").await.expect("reads").is_none());
    assert_eq!(reader.count::<Thing>(&crate::Query::default()).await.expect("counts"), 1);
    drop(reader);
    assert_eq!(world.read(&alice, "a").await.expect("is there").name, "after");
}

/// When the last write misses, none of the others is there: no document, job, event, nonce or directory row.
pub async fn a_failed_batch_writes_nothing(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::new("taken", "one")).await;
    let failed = world
        .commit(&alice, |tx| {
            tx.insert(&Thing::new("a", "one"));
            tx.enqueue(NewJob::new("work", "a", &()));
            tx.emit(NewEvent::new("thing.created", "a", &()));
            tx.once("nonce", world.now() + Duration::from_secs(60));
            tx.publish(crate::DirectoryRow::new("fact", "a", &1));
            tx.audit("thing.create", "a");
            tx.insert(&Thing::new("taken", "two"));
        })
        .await;
    assert_duplicate(failed, "taken");
    assert!(world.read(&alice, "a").await.is_none());
    assert!(world.claim("w", 10).await.is_empty());
    assert!(world.store.events(&alice, EventCursor(0), 10).await.expect("reads").is_empty());
    assert!(world.store.lookup("fact", "a").await.expect("reads").is_none());
    world.commit(&alice, |tx| tx.once("nonce", world.now())).await.expect("the nonce is still unseen");
    let lease = Lease { job: "absent".parse().expect("legal"), token: "t".to_owned() };
    let writes = vec![
        Write::Put {
            kind: "thing",
            id: "b".to_owned(),
            expected: ExpectedVersion::Absent,
            columns: Columns::default(),
            properties: None,
            document: "{}".to_owned(),
        },
        Write::Complete(lease),
    ];
    let lost = world.write(&alice, writes).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost { .. })), "{lost:?}");
    assert!(world.read(&alice, "b").await.is_none());
}

/// Of eight writers that have read the same version, exactly one is not stale.
pub async fn of_many_savers_of_one_version_one_wins(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::new("a", "zero")).await;
    let save = async |n: u32| {
        let put = Write::Put {
            kind: "thing",
            id: "a".to_owned(),
            expected: ExpectedVersion::Exactly(1),
            columns: Columns::default(),
            properties: None,
            document: serde_json::to_string(&Thing::new("a", &n.to_string())).expect("serialises"),
        };
        world.write(&alice, vec![put, Write::Emit(NewEvent::new("saved", "a", &n))]).await.map(drop)
    };
    let results = futures::future::join_all((0..8).map(save)).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for result in results.into_iter().filter(Result::is_err) {
        assert_stale(result);
    }
    let events = super::events::follow(world, &alice, 1).await;
    assert_eq!(events.len(), 1);
}

/// Members that this release does not know survive a load and a save.
pub async fn unknown_members_survive(world: &World) {
    let alice = world.participant("alice");
    let document = r#"{"id":"a","name":"one","colour":{"name":"red"}}"#.to_owned();
    let (expected, columns) = (ExpectedVersion::Absent, Columns::default());
    let put = Write::Put { kind: "thing", id: "a".to_owned(), expected, columns, properties: None, document };
    world.write(&alice, vec![put]).await.expect("commits");
    let mut tx = world.store.begin(&alice);
    let loaded = tx.load::<Thing>("a").await.expect("reads").expect("is there");
    tx.save(&loaded, &Thing::new("a", "two"));
    tx.commit().await.expect("commits");
    let mut snapshot = world.database().snapshot(alice.access()).await.expect("opens");
    let row = snapshot.row("thing", Selector::Id("a")).await.expect("reads").expect("is there");
    let json: serde_json::Value = serde_json::from_str(&row.document).expect("json");
    assert_eq!((&json["name"], &json["colour"]["name"]), (&"two".into(), &"red".into()));
}

/// A remembered answer comes back until it expires, and is not replaced.
pub async fn an_answer_is_replayed_until_it_expires(world: &World) {
    let alice = world.participant("alice");
    let key = AnswerKey::new("client", "key");
    let until = world.now() + Duration::from_secs(60);
    let answer = Answer::new(&key, "digest".to_owned(), (201, Vec::new(), "{}".to_owned()), until);
    world.commit(&alice, |tx| tx.remember(&answer)).await.expect("commits");
    let found = world.store.begin(&alice).remembered(&key).await.expect("reads");
    assert_eq!(found.as_ref(), Some(&answer));
    assert_duplicate(world.commit(&alice, |tx| tx.remember(&answer)).await, key.as_str());
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.store.begin(&alice).remembered(&key).await.expect("reads"), None);
}

/// Many transactions that are given up, some in the middle of a read, hold nothing back.
pub async fn a_transaction_dropped_in_the_middle_leaves_no_trace(world: &World) {
    let alice = world.participant("alice");
    world.insert(&alice, &Thing::new("a", "one")).await;
    for n in 0..64 {
        let mut tx = world.store.begin(&alice);
        tx.insert(&Thing::new(&format!("never-{n}"), "never"));
        let mut read = std::pin::pin!(tx.load::<Thing>("a"));
        // One poll sends the read; its answer mostly comes when nobody listens any more.
        drop(futures::poll!(read.as_mut()));
    }
    let bob = world.participant("bob");
    assert!(world.read(&bob, "a").await.is_none(), "a connection came back with another owner's access");
    assert_eq!(world.store.begin(&alice).count::<Thing>(&crate::Query::default()).await.expect("counts"), 1);
    world.insert(&alice, &Thing::new("b", "two")).await;
}
