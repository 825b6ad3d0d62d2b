//! Jobs that were set aside: seen, replayed, discarded.

use std::time::Duration;

use heddle_tenancy::{Actor, ParticipantScope};

use super::World;
use crate::{ClaimedJob, DeadJob, DeadJobQuery, NewJob, StoreError, Write};

const ALL: DeadJobQuery =
    DeadJobQuery { owner: None, id: None, kind: None, host: None, after: None, limit: 100 };

/// Enqueues a job, claims it and sets it aside.
async fn dead(world: &World, owner: &str, job: NewJob) -> ClaimedJob {
    let (scope, kind) = (world.participant(owner), job.kind.clone());
    // Ids of one millisecond have no order.
    world.clock.advance(Duration::from_millis(1));
    world.commit(&scope, |tx| tx.enqueue(job)).await.expect("commits");
    let mut jobs = world.claim_with("w", |request| (request.kinds, request.limit) = (vec![kind], 1)).await;
    let job = jobs.pop().expect("one job");
    bury(world, &scope, &job).await;
    job
}

async fn bury(world: &World, scope: &ParticipantScope, job: &ClaimedJob) {
    let bury = Write::Bury { lease: job.lease.clone(), error: "no answer".to_owned() };
    world.write(scope, vec![bury]).await.expect("commits");
}

async fn all(world: &World, query: DeadJobQuery) -> Vec<DeadJob> {
    let operator = world.scopes.operator(Actor::new("operator"));
    world.store.everybodys_dead_jobs(&operator, query).await.expect("reads")
}

fn keys(jobs: &[DeadJob]) -> Vec<&str> {
    jobs.iter().map(|job| job.order_key.as_str()).collect()
}

/// A job that was set aside says what it was, why it failed and how often; an owner sees its own alone.
pub async fn a_job_that_was_set_aside_is_seen_by_its_owner_and_the_operator(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    let job = dead(world, "alice", NewJob::new("work", "a", &"s3cret").calling("peer.example")).await;
    let died_at = world.now();
    dead(world, "bob", NewJob::new("work", "b", &1)).await;
    world.commit(&alice, |tx| tx.enqueue(NewJob::new("work", "alive", &1))).await.expect("commits");
    let seen = world.store.dead_jobs(&alice, ALL).await.expect("reads");
    let expected = DeadJob {
        id: job.lease.job.clone(),
        owner: job.owner.clone(),
        kind: "work".to_owned(),
        order_key: "a".to_owned(),
        host: Some("peer.example".to_owned()),
        attempts: 1,
        created_at: died_at,
        died_at: Some(died_at),
        error: "no answer".to_owned(),
        trace: job.trace,
    };
    assert_eq!(seen, [expected]);
    assert!(!format!("{seen:?}").contains("s3cret"), "what it carries is not told");
    assert_eq!(keys(&world.store.dead_jobs(&bob, ALL).await.expect("reads")), ["b"]);
    assert_eq!(keys(&all(world, ALL).await), ["a", "b"]);
    let peer = world.peer("alice", "did:web:peer.example");
    assert!(world.store.dead_jobs(&peer, ALL).await.expect("reads").is_empty());
}

/// Lists are filtered, and read page by page.
pub async fn dead_jobs_are_listed_by_what_they_are(world: &World) {
    for (owner, kind, key, host) in [
        ("alice", "work", "1", Some("a.example")),
        ("alice", "other", "2", Some("b.example")),
        ("bob", "work", "3", Some("b.example")),
        ("bob", "work", "4", None),
    ] {
        let job = NewJob::new(kind, key, &());
        dead(world, owner, host.map_or(job.clone(), |host| job.calling(host))).await;
    }
    let kind = Some("work".to_owned());
    assert_eq!(keys(&all(world, DeadJobQuery { kind: kind.clone(), ..ALL }).await), ["1", "3", "4"]);
    let host = Some("b.example".to_owned());
    assert_eq!(keys(&all(world, DeadJobQuery { host, ..ALL }).await), ["2", "3"]);
    let owner = Some("p:bob".parse().expect("legal"));
    assert_eq!(keys(&all(world, DeadJobQuery { owner, kind: kind.clone(), ..ALL }).await), ["3", "4"]);
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = all(world, DeadJobQuery { kind: kind.clone(), after, limit: 2, ..ALL }).await;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        pages.push(keys(&page).join(" "));
    }
    assert_eq!(pages, ["1 3", "4"]);
    let id = after_of(&all(world, ALL).await, 2);
    assert_eq!(keys(&all(world, DeadJobQuery { id, ..ALL }).await), ["3"]);
}

fn after_of(jobs: &[DeadJob], at: usize) -> Option<heddle_ids::JobId> {
    jobs.get(at).map(|job| job.id.clone())
}

/// A replayed job is claimable at once, with its attempts and payload as at first, once; who had it before is fenced off.
pub async fn a_replayed_job_runs_once_more_and_its_first_holder_is_fenced_off(world: &World) {
    let alice = world.participant("alice");
    let first = dead(world, "alice", NewJob::new("work", "a", &7)).await;
    let id = &first.lease.job;
    let mut signal = world.store.signals().jobs();
    signal.mark_unchanged();
    world.commit(&alice, |tx| tx.replay(id)).await.expect("commits");
    assert!(signal.has_changed().expect("open"), "workers are told");
    let again = world.commit(&alice, |tx| tx.replay(id)).await;
    assert!(matches!(again, Err(StoreError::Stale { .. })), "{again:?}");
    assert!(all(world, ALL).await.is_empty());
    let job = world.claim("w", 10).await.pop().expect("it is there again");
    assert_eq!((&job.lease.job, job.payload::<u32>().expect("a number"), job.attempts), (id, 7, 0));
    let late = world.commit(&alice, |tx| tx.complete(&first)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    world.commit(&alice, |tx| tx.complete(&job)).await.expect("the holder may");
    let gone = world.commit(&alice, |tx| tx.replay(id)).await;
    assert!(matches!(gone, Err(StoreError::Stale { .. })), "{gone:?}");
}

/// A replayed job waits for the job of its key that is under way, and for those that wait behind that.
pub async fn a_replayed_job_goes_behind_its_key(world: &World) {
    let alice = world.participant("alice");
    let first = dead(world, "alice", NewJob::new("work", "a", &1)).await;
    for n in [2, 3] {
        world.commit(&alice, |tx| tx.enqueue(NewJob::new("work", "a", &n))).await.expect("commits");
    }
    let second = world.claim("w", 10).await.pop().expect("the successor");
    world.commit(&alice, |tx| tx.replay(&first.lease.job)).await.expect("commits");
    assert!(world.claim("w", 10).await.is_empty(), "its key is held");
    world.commit(&alice, |tx| tx.complete(&second)).await.expect("commits");
    for expected in [3, 1] {
        world
            .commit(&alice, |tx| tx.enqueue(NewJob::new("work", format!("{expected}"), &0)))
            .await
            .expect("commits");
        let jobs = world.claim("w", 10).await;
        let of_key: Vec<_> = jobs.iter().filter(|job| job.order_key == "a").collect();
        assert_eq!(of_key.len(), 1);
        assert_eq!(of_key[0].payload::<u32>().expect("a number"), expected);
        world.commit(&alice, |tx| tx.complete(of_key[0])).await.expect("commits");
    }
}

/// A discarded job is gone. What lives is neither replayed nor discarded, and nobody else's is.
pub async fn a_discarded_job_is_gone_and_nobody_elses_is_touched(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    let job = dead(world, "alice", NewJob::new("work", "a", &1)).await;
    let id = &job.lease.job;
    for attempt in
        [world.commit(&bob, |tx| tx.discard(id)).await, world.commit(&bob, |tx| tx.replay(id)).await]
    {
        assert!(matches!(attempt, Err(StoreError::Stale { .. })), "{attempt:?}");
    }
    world.commit(&alice, |tx| tx.discard(id)).await.expect("commits");
    assert!(all(world, ALL).await.is_empty());
    world.commit(&alice, |tx| tx.enqueue(NewJob::new("work", "b", &1))).await.expect("commits");
    let living = world.claim("w", 1).await.pop().expect("one job");
    for attempt in [
        world.commit(&alice, |tx| tx.discard(&living.lease.job)).await,
        world.commit(&alice, |tx| tx.replay(&living.lease.job)).await,
    ] {
        assert!(matches!(attempt, Err(StoreError::Stale { .. })), "{attempt:?}");
    }
    world.commit(&alice, |tx| tx.complete(&living)).await.expect("it is untouched");
}

/// Of many who replay a job at the same moment one does.
pub async fn of_many_replays_of_a_job_one_happens(world: &World) {
    let alice = world.participant("alice");
    let job = dead(world, "alice", NewJob::new("work", "a", &1)).await;
    let replay = || world.commit(&alice, |tx| tx.replay(&job.lease.job));
    let replays = futures::future::join_all((0..8).map(|_| replay())).await;
    assert_eq!(replays.iter().filter(|replay| replay.is_ok()).count(), 1);
    assert_eq!(world.claim("w", 10).await.len(), 1);
    assert!(world.claim("w", 10).await.is_empty());
}
