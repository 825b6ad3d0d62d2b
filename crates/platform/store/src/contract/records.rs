//! Nonces, the directory, the sweep, the end.

use std::time::Duration;

use heddle_clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Thing, World, assert_duplicate};
use crate::{
    Aggregate, Answer, AnswerKey, Columns, DirectoryRow, Nonce, Query, SWEPT_KINDS, StoreError, Transaction,
};

/// The second commit with a nonce fails, with all that is in it.
pub async fn a_nonce_is_accepted_once(world: &World) {
    let alice = world.participant("alice");
    let until = world.now() + Duration::from_secs(60);
    world.commit(&alice, |tx| tx.once("jti", until)).await.expect("unseen");
    let again = world
        .commit(&alice, |tx| {
            tx.insert(&Thing::new("effect", ""));
            tx.once("jti", until);
        })
        .await;
    assert_duplicate(again, &Nonce::of("jti", until).value);
    assert!(world.read(&alice, "effect").await.is_none());
}

/// Of sixteen commits with the same nonce at the same moment, one succeeds.
pub async fn of_concurrent_submits_of_a_nonce_one_wins(world: &World) {
    let alice = world.participant("alice");
    let until = world.now() + Duration::from_secs(60);
    let submit = |n: u32| {
        let alice = &alice;
        async move {
            world
                .commit(alice, |tx| {
                    tx.once("jti", until);
                    tx.insert(&Thing::new(&n.to_string(), ""));
                })
                .await
        }
    };
    let results = futures::future::join_all((0..16).map(submit)).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results.into_iter().filter(Result::is_err) {
        assert_duplicate(result, &Nonce::of("jti", until).value);
    }
    let query = crate::Query::default();
    assert_eq!(world.store.begin(&alice).count::<Thing>(&query).await.expect("counts"), 1);
}

/// A published row is found without a scope; its owner may change and withdraw it.
pub async fn a_published_row_is_found_by_everybody(world: &World) {
    let alice = world.participant("alice");
    for value in ["one", "two"] {
        let row = DirectoryRow::new("did", "did:web:alice", &value);
        world.commit(&alice, |tx| tx.publish(row)).await.expect("commits");
        let found = world.store.lookup("did", "did:web:alice").await.expect("reads").expect("is there");
        assert_eq!(found.value::<String>().expect("a text"), value);
        assert_eq!((found.owner.to_string().as_str(), found.key.as_str()), ("p:alice", "did:web:alice"));
    }
    assert!(world.store.lookup("client", "did:web:alice").await.expect("reads").is_none());
    world.commit(&alice, |tx| tx.withdraw("did", "did:web:alice")).await.expect("commits");
    assert!(world.store.lookup("did", "did:web:alice").await.expect("reads").is_none());
}

/// A key belongs to who published it first, until it is withdrawn.
pub async fn another_owner_cannot_take_a_published_key(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    let row = |value: &str| DirectoryRow::new("did", "did:web:shared", &value);
    world.commit(&alice, |tx| tx.publish(row("alice's"))).await.expect("commits");
    assert_duplicate(world.commit(&bob, |tx| tx.publish(row("bob's"))).await, "did:web:shared");
    let found = world.store.lookup("did", "did:web:shared").await.expect("reads").expect("is there");
    assert_eq!(found.value::<String>().expect("a text"), "alice's");
    world.commit(&alice, |tx| tx.withdraw("did", "did:web:shared")).await.expect("commits");
    world.commit(&bob, |tx| tx.publish(row("bob's"))).await.expect("it is free");
}

/// Lists go by key, after a key, over all owners.
pub async fn published_rows_are_listed_in_pages(world: &World) {
    for (owner, key) in [("alice", "b"), ("bob", "a"), ("alice", "c")] {
        let scope = world.participant(owner);
        world.commit(&scope, |tx| tx.publish(DirectoryRow::new("fact", key, &()))).await.expect("commits");
    }
    let keys = async |after: Option<&str>, limit| -> Vec<String> {
        let rows = world.store.published("fact", after, limit).await.expect("lists");
        rows.into_iter().map(|row| row.key).collect()
    };
    assert_eq!(keys(None, 2).await, ["a", "b"]);
    assert_eq!(keys(Some("b"), 2).await, ["c"]);
    assert!(world.store.published("other", None, 9).await.expect("lists").is_empty());
}

/// Of the other kind that the sweep knows.
#[derive(Serialize, Deserialize)]
struct Denial(String, Timestamp);

impl Aggregate for Denial {
    const KIND: &'static str = SWEPT_KINDS[1];

    fn id(&self) -> &str {
        &self.0
    }

    fn columns(&self) -> Columns {
        Columns { due_at: Some(self.1), ..Columns::default() }
    }
}

/// A sweep takes no more at a time than it is told: what expired first.
pub async fn a_sweep_ends_at_its_limit(world: &World) {
    let alice = world.participant("alice");
    let write = |tx: &mut Transaction<'_>| {
        for n in 0..5 {
            tx.once(n.to_string(), world.now() + Duration::from_millis(n));
        }
        for n in 0..3 {
            tx.insert(&Denial(n.to_string(), world.now() + Duration::from_millis(n)));
        }
    };
    world.commit(&alice, write).await.expect("commits");
    world.clock.advance(Duration::from_secs(1));
    for deleted in [4, 3, 1, 0] {
        assert_eq!(world.database().sweep(world.now(), 2).await.expect("sweeps"), deleted);
    }
}

/// The sweep takes expired nonces, and due rows of the kinds that end by themselves, of all owners, and nothing else.
pub async fn the_sweep_deletes_only_what_has_expired(world: &World) {
    let (soon, late) = (world.now() + Duration::from_secs(60), world.now() + Duration::from_secs(120));
    let answer = |key: &str, until| {
        Answer::new(&AnswerKey::new("client", key), String::new(), (200, Vec::new(), String::new()), until)
    };
    for name in ["alice", "bob"] {
        let write = |tx: &mut Transaction<'_>| {
            tx.once("soon", soon);
            tx.once("late", late);
            tx.remember(&answer("soon", soon));
            tx.remember(&answer("late", late));
            tx.insert(&Denial("soon".to_owned(), soon));
            tx.insert(&Denial("late".to_owned(), late));
            tx.insert(&Thing { due_at: Some(soon), ..Thing::new("a", "no answer") });
        };
        world.commit(&world.participant(name), write).await.expect("commits");
    }
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.database().sweep(world.now(), 100).await.expect("sweeps"), 6);
    assert_eq!(world.database().sweep(world.now(), 100).await.expect("sweeps"), 0);
    let alice = world.participant("alice");
    assert!(world.read(&alice, "a").await.is_some());
    let denials = world.store.begin(&alice).list::<Denial>(&Query::default()).await.expect("lists");
    assert_eq!(denials.iter().map(|denial| denial.0.as_str()).collect::<Vec<_>>(), ["late"]);
    world.commit(&alice, |tx| tx.once("soon", late)).await.expect("it was forgotten");
    assert_duplicate(world.commit(&alice, |tx| tx.once("late", late)).await, &Nonce::of("late", late).value);
    let kept = world.store.begin(&alice).remembered(&AnswerKey::new("client", "late")).await.expect("reads");
    assert!(kept.is_some());
}

/// What was asked before the end is done; after it everything is refused, and nothing hangs.
pub async fn a_closed_database_refuses(world: &World) {
    let alice = world.participant("alice");
    world.store.ping().await.expect("answers");
    let thing = Thing::new("a", "");
    let (committed, ()) = futures::join!(world.commit(&alice, |tx| tx.insert(&thing)), async {
        world.insert(&alice, &Thing::new("b", "")).await;
        world.database().close().await;
    });
    assert!(matches!(committed, Ok(()) | Err(StoreError::Unavailable { .. })), "{committed:?}");
    let refused = world.commit(&alice, |tx| tx.insert(&Thing::new("c", ""))).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    assert!(world.store.begin(&alice).load::<Thing>("a").await.is_err());
    assert!(world.store.ping().await.is_err());
}

/// A lookup inside a transaction has a place of its own, however many transactions are open.
pub async fn lookups_inside_many_transactions_do_not_wait_for_one_another(world: &World) {
    let alice = world.participant("alice");
    world.commit(&alice, |tx| tx.publish(crate::DirectoryRow::new("fact", "a", &1))).await.expect("commits");
    let one = || async {
        let mut tx = world.store.begin(&alice);
        tx.load::<Thing>("none").await.expect("reads");
        world.store.lookup("fact", "a").await.expect("looks up").expect("is there");
        world.store.published("fact", None, 10).await.expect("lists");
    };
    let all = futures::future::join_all((0..64).map(|_| one()));
    tokio::time::timeout(std::time::Duration::from_secs(8), all).await.expect("nobody waits for ever");
}

/// PostgreSQL has no text with the character 0; that is no failure of the database, and no answer to a peer either.
pub async fn a_key_that_cannot_be_stored_is_not_there(world: &World) {
    let alice = world.participant("alice");
    let mut tx = world.store.begin(&alice);
    assert!(tx.load::<Thing>("a\0b").await.expect("reads").is_none());
    assert!(tx.load_by_key::<Thing>("a\0b").await.expect("reads").is_none());
    assert!(world.store.lookup("fact", "a\0b").await.expect("looks up").is_none());
    let soon = world.now() + std::time::Duration::from_secs(60);
    for expected in [true, false] {
        let accepted = world.commit(&alice, |tx| tx.once("jti\0", soon)).await.is_ok();
        assert_eq!(accepted, expected, "a nonce may be any text, and is taken once");
    }
}
