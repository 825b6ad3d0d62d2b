//! Jobs: order, due times, ends.

use std::time::Duration;

use heddle_tenancy::ParticipantScope;

use super::World;
use crate::{ClaimedJob, NewJob, StoreError, Write};

async fn enqueue(world: &World, scope: &ParticipantScope, key: &str, payload: u32) {
    world.commit(scope, |tx| tx.enqueue(NewJob::new("work", key, &payload))).await.expect("commits");
}

fn payloads(jobs: &[ClaimedJob]) -> Vec<u32> {
    jobs.iter().map(|job| job.payload().expect("a number")).collect()
}

/// The second job of a key is not claimable before the first has ended.
pub async fn jobs_of_one_key_run_in_order(world: &World) {
    let alice = world.participant("alice");
    for n in 1..=3 {
        enqueue(world, &alice, "a", n).await;
    }
    for n in 1..=3 {
        let jobs = world.claim("w", 10).await;
        assert_eq!(payloads(&jobs), [n]);
        assert!(world.claim("other", 10).await.is_empty(), "the key is held");
        world.commit(&alice, |tx| tx.complete(&jobs[0])).await.expect("commits");
    }
    assert!(world.claim("w", 10).await.is_empty());
}

/// Two owners' keys of one name do not wait for each other; a claimed job says whose it is.
pub async fn keys_are_per_owner(world: &World) {
    for (name, n) in [("alice", 1), ("bob", 2)] {
        enqueue(world, &world.participant(name), "same", n).await;
    }
    let jobs = world.claim("w", 10).await;
    let mut owners: Vec<(String, u32)> =
        jobs.iter().map(|job| (job.owner.to_string(), job.payload().expect("a number"))).collect();
    owners.sort();
    assert_eq!(owners, [("p:alice".to_owned(), 1), ("p:bob".to_owned(), 2)]);
    assert!(jobs.iter().all(|job| (job.kind.as_str(), job.order_key.as_str()) == ("work", "same")));
    assert!(jobs.iter().all(|job| job.attempts == 0 && job.created_at == world.now()));
}

/// A job that is due later waits, and so do those behind it.
pub async fn a_job_is_not_claimed_before_it_is_due(world: &World) {
    let alice = world.participant("alice");
    let later = world.now() + Duration::from_secs(10);
    world.commit(&alice, |tx| tx.enqueue(NewJob::new("work", "a", &1).due_at(later))).await.expect("commits");
    enqueue(world, &alice, "a", 2).await;
    enqueue(world, &alice, "b", 3).await;
    assert_eq!(payloads(&world.claim("w", 10).await), [3]);
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(payloads(&world.claim("w", 10).await), [1]);
}

/// Finishing twice is refused.
pub async fn a_finished_job_is_gone(world: &World) {
    let alice = world.participant("alice");
    enqueue(world, &alice, "a", 1).await;
    let job = world.claim("w", 1).await.pop().expect("one job");
    world.commit(&alice, |tx| tx.complete(&job)).await.expect("commits");
    let again = world.commit(&alice, |tx| tx.complete(&job)).await;
    assert!(matches!(again, Err(StoreError::LeaseLost { .. })), "{again:?}");
    world.clock.advance(Duration::from_secs(3600));
    assert!(world.claim("w", 10).await.is_empty());
}

/// A failed attempt and its due time are stored; the key stays in order.
pub async fn a_rescheduled_job_waits_and_counts(world: &World) {
    let alice = world.participant("alice");
    enqueue(world, &alice, "a", 1).await;
    enqueue(world, &alice, "a", 2).await;
    for attempts in 0..3 {
        let job = world.claim("w", 1).await.pop().expect("one job");
        assert_eq!((job.payload::<u32>().expect("a number"), job.attempts), (1, attempts));
        let due_at = world.now() + Duration::from_secs(60);
        let error = "no answer".to_owned();
        let write = Write::Reschedule { lease: job.lease, due_at, error };
        world.write(&alice, vec![write]).await.expect("commits");
        assert!(world.claim("w", 10).await.is_empty(), "it waits, and so does its successor");
        world.clock.advance(Duration::from_secs(60));
    }
}

/// A buried job is never claimed again, and its key goes on.
pub async fn a_buried_job_lets_its_successor_go(world: &World) {
    let alice = world.participant("alice");
    enqueue(world, &alice, "a", 1).await;
    enqueue(world, &alice, "a", 2).await;
    let job = world.claim("w", 10).await.pop().expect("one job");
    let bury = Write::Bury { lease: job.lease.clone(), error: "never".to_owned() };
    world.write(&alice, vec![bury.clone()]).await.expect("commits");
    assert_eq!(payloads(&world.claim("w", 10).await), [2]);
    let again = world.write(&alice, vec![bury]).await;
    assert!(matches!(again, Err(StoreError::LeaseLost { .. })), "{again:?}");
}

/// Cancelling takes away what waits under a key of the owner, and leaves what somebody is doing.
pub async fn cancelled_jobs_are_gone_but_a_held_one_stays(world: &World) {
    let alice = world.participant("alice");
    for (key, n) in [("a", 1), ("a", 2), ("b", 3)] {
        enqueue(world, &alice, key, n).await;
    }
    let held = world.claim("w", 1).await.pop().expect("one job");
    assert_eq!(held.payload::<u32>().expect("a number"), 1);
    world.commit(&alice, |tx| tx.cancel_jobs("a")).await.expect("commits");
    world.commit(&alice, |tx| tx.complete(&held)).await.expect("it is still held");
    assert_eq!(payloads(&world.claim("w", 10).await), [3]);
}

/// A worker gets the kinds that it asks for.
pub async fn only_asked_kinds_are_claimed(world: &World) {
    let alice = world.participant("alice");
    world.commit(&alice, |tx| tx.enqueue(NewJob::new("other", "a", &1))).await.expect("commits");
    enqueue(world, &alice, "b", 2).await;
    assert_eq!(payloads(&world.claim("w", 10).await), [2]);
    let others =
        world.claim_with("w", |request| request.kinds = vec!["none".to_owned(), "other".to_owned()]).await;
    assert_eq!(payloads(&others), [1]);
}

/// The next due time is that of a waiting job or of a lease's end, whichever comes first; never a past one.
pub async fn the_next_due_time_is_known(world: &World) {
    let alice = world.participant("alice");
    let (start, kinds) = (world.now(), ["work".to_owned()]);
    let next = async |after| world.database().next_due(&kinds, after).await.expect("reads");
    assert_eq!(next(start).await, None);
    let (soon, late) = (start + Duration::from_secs(10), start + Duration::from_secs(50));
    for (key, due) in [("a", late), ("b", soon)] {
        world
            .commit(&alice, |tx| tx.enqueue(NewJob::new("work", key, &1).due_at(due)))
            .await
            .expect("commits");
    }
    let other = NewJob::new("other", "c", &1).due_at(start + Duration::from_secs(1));
    world.commit(&alice, |tx| tx.enqueue(other)).await.expect("commits");
    assert_eq!(next(start).await, Some(soon));
    assert_eq!(next(soon).await, Some(late), "what is due already does not wake anybody again");
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(world.claim("w", 10).await.len(), 1);
    assert_eq!(next(soon).await, Some(soon + Duration::from_secs(30)), "the lease may run out");
}

/// Waiters are told of jobs that they may claim, and not of jobs that were claimed in their commit.
pub async fn signals_move_when_there_is_something_to_do(world: &World) {
    let alice = world.participant("alice");
    let (mut jobs, mut events) = (world.store.signals().jobs(), world.store.signals().events());
    world.insert(&alice, &super::Thing::new("a", "")).await;
    assert!(!jobs.has_changed().expect("open") && !events.has_changed().expect("open"));
    enqueue(world, &alice, "a", 1).await;
    assert!(jobs.has_changed().expect("open"));
    jobs.mark_unchanged();
    enqueue(world, &alice, "a", 2).await;
    jobs.mark_unchanged();
    let job = world.claim("w", 10).await.pop().expect("one job");
    world.commit(&alice, |tx| tx.complete(&job)).await.expect("commits");
    assert!(jobs.has_changed().expect("open"), "the successor may be claimed");
    let last = world.claim("w", 10).await.pop().expect("one job");
    jobs.mark_unchanged();
    world.commit(&alice, |tx| tx.complete(&last)).await.expect("commits");
    assert!(!jobs.has_changed().expect("open"), "nothing is left to claim");
    world.commit(&alice, |tx| tx.emit(crate::NewEvent::new("e", "a", &()))).await.expect("commits");
    tokio::time::timeout(Duration::from_secs(10), events.changed()).await.expect("in time").expect("open");
}
