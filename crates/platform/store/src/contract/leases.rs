//! Leases: who holds a job, and the fence around what it may still write.

use std::time::Duration;

use heddle_ids::JobId;
use heddle_tenancy::ParticipantScope;

use super::{Thing, World, worker_id};
use crate::{ClaimedJob, DirectLease, NewJob, StoreError, Write};

async fn enqueue(world: &World, scope: &ParticipantScope, key: &str) {
    world.commit(scope, |tx| tx.enqueue(NewJob::new("work", key, &()))).await.expect("commits");
}

/// An enqueue that asks to be claimed by `worker`.
fn direct(world: &World, job: NewJob) -> Write {
    let (ms, random) = world.store.environment().id_parts();
    let lease = DirectLease {
        worker: worker_id("w"),
        token: world.store.environment().uuid(),
        until: world.now() + Duration::from_secs(30),
        per_owner_max: 2,
        per_host_max: 1,
    };
    Write::Enqueue { id: JobId::from_parts(ms, random), job, lease_for: Some(lease) }
}

async fn claimed(world: &World, scope: &ParticipantScope, writes: Vec<Write>) -> Vec<ClaimedJob> {
    world.write(scope, writes).await.expect("commits").claimed
}

/// A lease keeps others away until it runs out.
pub async fn a_leased_job_is_not_claimed_again(world: &World) {
    enqueue(world, &world.participant("alice"), "a").await;
    assert_eq!(world.claim("w", 10).await.len(), 1);
    assert!(world.claim("other", 10).await.is_empty());
    world.clock.advance(Duration::from_millis(29_999));
    assert!(world.claim("other", 10).await.is_empty());
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.claim("other", 10).await.len(), 1);
}

/// Whoever comes back after its lease was taken loses its whole batch; the new holder goes on.
pub async fn a_lease_that_ran_out_is_taken_and_fences_the_first(world: &World) {
    let alice = world.participant("alice");
    enqueue(world, &alice, "a").await;
    let first = world.claim("first", 1).await.pop().expect("one job");
    world.clock.advance(Duration::from_secs(31));
    let second = world.claim("second", 1).await.pop().expect("it is free again");
    assert_eq!(second.lease.job, first.lease.job);
    assert_ne!(second.lease.token, first.lease.token);
    let late = world
        .commit(&alice, |tx| {
            tx.insert(&Thing::new("effect", "of the first"));
            tx.complete(&first);
        })
        .await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    assert!(world.read(&alice, "effect").await.is_none());
    let error = String::new();
    let (due_at, lease) = (world.now(), first.lease.clone());
    for write in [
        Write::Reschedule { lease: lease.clone(), due_at, error: error.clone() },
        Write::Bury { lease, error },
    ] {
        let late = world.write(&alice, vec![write]).await;
        assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    }
    world.commit(&alice, |tx| tx.complete(&second)).await.expect("the holder may");
}

/// An extended lease holds; one that was taken is not extended; a lease that ran out untaken still finishes.
pub async fn an_extended_lease_holds(world: &World) {
    let alice = world.participant("alice");
    enqueue(world, &alice, "a").await;
    let job = world.claim("w", 1).await.pop().expect("one job");
    let extend = async |lease: &crate::Lease| {
        let until = world.now() + Duration::from_secs(30);
        world.database().extend(std::slice::from_ref(lease), until).await.expect("extends")
    };
    world.clock.advance(Duration::from_secs(20));
    assert!(extend(&job.lease).await.is_empty());
    world.clock.advance(Duration::from_secs(20));
    assert!(world.claim("other", 1).await.is_empty(), "it was extended");
    world.clock.advance(Duration::from_secs(20));
    let taken = world.claim("other", 1).await.pop().expect("it ran out");
    assert_eq!(extend(&job.lease).await, std::slice::from_ref(&job.lease), "it is another's");
    world.clock.advance(Duration::from_secs(60));
    world.commit(&alice, |tx| tx.complete(&taken)).await.expect("nobody else has taken it");
    assert!(extend(&taken.lease).await.is_empty(), "what is finished is not lost");
}

/// A job that nothing stands before is claimed by its own commit, and is then like any claimed job.
pub async fn a_job_is_claimed_by_the_commit_that_enqueues_it(world: &World) {
    let alice = world.participant("alice");
    let mut jobs = world.store.signals().jobs();
    let found = claimed(world, &alice, vec![direct(world, NewJob::new("work", "a", &5))]).await;
    assert_eq!(found.len(), 1);
    assert!(!jobs.has_changed().expect("open"), "nobody needs to look for it");
    jobs.mark_unchanged();
    let job = &found[0];
    assert_eq!((job.payload::<u32>().expect("a number"), job.attempts), (5, 0));
    assert_eq!(job.owner.to_string(), "p:alice");
    assert!(world.claim("other", 10).await.is_empty());
    world.commit(&alice, |tx| tx.complete(job)).await.expect("commits");
}

/// A job behind another, or due later, is not claimed by its commit.
pub async fn a_commit_claims_no_job_behind_another(world: &World) {
    let alice = world.participant("alice");
    enqueue(world, &alice, "a").await;
    let later = NewJob::new("work", "b", &()).due_at(world.now() + Duration::from_secs(1));
    let writes = vec![direct(world, NewJob::new("work", "a", &())), direct(world, later)];
    assert!(claimed(world, &alice, writes).await.is_empty());
    let two = vec![direct(world, NewJob::new("work", "c", &1)), direct(world, NewJob::new("work", "c", &2))];
    let found = claimed(world, &alice, two).await;
    assert_eq!(found.iter().map(|job| job.payload().expect("a number")).collect::<Vec<u32>>(), [1]);
}

/// The commit that finishes a job claims the next one of its key, wherever in the batch it is enqueued.
pub async fn a_commit_claims_the_successor_of_the_job_it_completes(world: &World) {
    let alice = world.participant("alice");
    enqueue(world, &alice, "a").await;
    let job = world.claim("w", 1).await.pop().expect("one job");
    let writes = vec![direct(world, NewJob::new("work", "a", &())), Write::Complete(job.lease)];
    let next = claimed(world, &alice, writes).await;
    assert_eq!(next.len(), 1);
    let writes = vec![Write::Complete(next[0].lease.clone()), direct(world, NewJob::new("work", "a", &()))];
    assert_eq!(claimed(world, &alice, writes).await.len(), 1);
}

/// A commit claims no more for an owner or a host than a claim would.
pub async fn a_commit_claims_within_the_caps(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    let job = |key: &str| direct(world, NewJob::new("work", key, &()));
    let calling = |key: &str| direct(world, NewJob::new("work", key, &()).calling("peer.example"));
    assert_eq!(claimed(world, &alice, vec![calling("a"), calling("b")]).await.len(), 1, "one call to a host");
    assert_eq!(claimed(world, &bob, vec![calling("a")]).await.len(), 0, "whoever calls it");
    assert_eq!(claimed(world, &alice, vec![job("c"), job("d")]).await.len(), 1, "two jobs of an owner");
    assert_eq!(claimed(world, &bob, vec![job("c"), job("d"), job("e")]).await.len(), 2);
    assert_eq!(
        world.claim("w", 10).await.len(),
        4,
        "what was not claimed waits: b of alice, a of bob, and the rest"
    );
}

/// Eight workers that claim at the same moment share the jobs; no job is given twice.
pub async fn a_job_is_claimed_once_by_many_claimers(world: &World) {
    let alice = world.participant("alice");
    let enqueue = |tx: &mut crate::Transaction<'_>| {
        for n in 0..40 {
            tx.enqueue(NewJob::new("work", format!("k{n}"), &n));
        }
    };
    world.commit(&alice, enqueue).await.expect("commits");
    let names: Vec<String> = (0..8).map(|n| format!("w{n}")).collect();
    let claims = futures::future::join_all(names.iter().map(|name| world.claim(name, 10))).await;
    let mut all: Vec<u32> = claims.iter().flatten().map(|job| job.payload().expect("a number")).collect();
    all.extend(world.claim("last", 100).await.iter().map(|job| job.payload::<u32>().expect("a number")));
    all.sort_unstable();
    assert_eq!(all, (0..40).collect::<Vec<u32>>());
}
