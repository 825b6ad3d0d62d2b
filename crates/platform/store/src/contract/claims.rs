//! Fairness: nobody starves for another's sake.

use std::collections::BTreeMap;

use super::World;
use crate::{ClaimedJob, NewJob};

async fn backlog(world: &World, owner: &str, jobs: u32, host: Option<&str>) {
    let scope = world.participant(owner);
    let enqueue = |tx: &mut crate::Transaction<'_>| {
        for n in 0..jobs {
            let job = NewJob::new("work", format!("{host:?}/{n}"), &n);
            tx.enqueue(match host {
                Some(host) => job.calling(host),
                None => job,
            });
        }
    };
    world.commit(&scope, enqueue).await.expect("commits");
}

fn by_owner(jobs: &[ClaimedJob]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for job in jobs {
        *counts.entry(job.owner.to_string()).or_default() += 1;
    }
    counts
}

fn counts(expected: &[(&str, usize)]) -> BTreeMap<String, usize> {
    expected.iter().map(|(owner, count)| (format!("p:{owner}"), *count)).collect()
}

/// However long one owner's queue, the others' first jobs come before its second.
pub async fn claims_go_round_the_owners(world: &World) {
    backlog(world, "busy", 30, None).await;
    backlog(world, "alice", 1, None).await;
    backlog(world, "bob", 3, None).await;
    let jobs = world.claim("w", 6).await;
    let owners: Vec<_> = jobs.iter().map(|job| job.owner.to_string()).collect();
    assert_eq!(owners, ["p:alice", "p:bob", "p:busy", "p:bob", "p:busy", "p:bob"]);
    let next = world.claim_with("w", |request| (request.limit, request.after) = (2, None)).await;
    assert_eq!(by_owner(&next), counts(&[("busy", 2)]), "nobody else has any");
}

/// The round goes on behind whoever was served last, however few jobs one claim has room for, and however fast they end.
pub async fn a_round_goes_on_where_the_last_claim_ended(world: &World) {
    for owner in ["busy", "alice", "bob"] {
        backlog(world, owner, 3, None).await;
    }
    let (mut after, mut served) = (None, Vec::new());
    for _ in 0..9 {
        let mut jobs = world.claim_with("w", |request| (request.limit, request.after) = (1, after)).await;
        let job = jobs.pop().expect("one job");
        let scope = world.participant(&job.owner.to_string()["p:".len()..]);
        world.commit(&scope, |tx| tx.complete(&job)).await.expect("commits");
        served.push(job.owner.to_string());
        after = Some(job.owner);
    }
    assert_eq!(served, ["p:alice", "p:bob", "p:busy"].repeat(3));
}

/// A host that lets all calls wait takes half of an owner's places: its other jobs go on.
pub async fn a_host_takes_no_more_than_half_of_an_owners_places(world: &World) {
    backlog(world, "alice", 20, Some("dead.example")).await;
    backlog(world, "alice", 20, Some("other.example")).await;
    let jobs = world.claim_with("w", |request| request.per_owner_max = 8).await;
    let calls: Vec<_> = jobs.iter().map(|job| job.order_key.contains("dead")).collect();
    assert_eq!(calls, [true, false].repeat(4), "an owner's turns go round its hosts");
    let scope = world.participant("alice");
    let write =
        |tx: &mut crate::Transaction<'_>| jobs.iter().skip(1).step_by(2).for_each(|job| tx.complete(job));
    world.commit(&scope, write).await.expect("commits");
    let next = world.claim_with("w", |request| request.per_owner_max = 8).await;
    assert_eq!(next.len(), 4);
    assert!(next.iter().all(|job| job.order_key.contains("other")), "the dead one holds its half");
}

/// What is leased already counts towards the cap.
pub async fn an_owner_holds_no_more_than_its_cap(world: &World) {
    backlog(world, "busy", 10, None).await;
    backlog(world, "alice", 1, None).await;
    let jobs = world.claim_with("w", |request| request.per_owner_max = 3).await;
    assert_eq!(by_owner(&jobs), counts(&[("alice", 1), ("busy", 3)]));
    assert!(world.claim_with("w", |request| request.per_owner_max = 3).await.is_empty());
    let more = world.claim_with("w", |request| request.per_owner_max = 5).await;
    assert_eq!(by_owner(&more), counts(&[("busy", 2)]));
}

/// The cap of a host counts the jobs of all owners.
pub async fn a_host_is_called_no_more_than_its_cap(world: &World) {
    backlog(world, "alice", 3, Some("dead.example")).await;
    backlog(world, "bob", 3, Some("dead.example")).await;
    let jobs = world.claim_with("w", |request| request.per_host_max = 2).await;
    assert_eq!(by_owner(&jobs), counts(&[("alice", 1), ("bob", 1)]), "shared fairly");
    assert!(world.claim_with("w", |request| request.per_host_max = 2).await.is_empty());
}

/// An owner whose oldest jobs all call a host that is at its cap still gets its other jobs done.
pub async fn a_capped_host_does_not_hide_other_jobs(world: &World) {
    backlog(world, "alice", 20, Some("dead.example")).await;
    backlog(world, "alice", 2, None).await;
    let jobs = world
        .claim_with("w", |request| {
            request.per_owner_max = 4;
            request.per_host_max = 1;
        })
        .await;
    let calls = jobs.iter().filter(|job| job.order_key.contains("dead")).count();
    assert_eq!((jobs.len(), calls), (3, 1));
}

/// The caps hold as well where one job waits and there is nothing to weigh: what is leased counts.
pub async fn the_caps_hold_for_a_job_alone(world: &World) {
    // How many of one more job of `owner` that calls `host` are claimed under the caps, of an owner and of a host.
    let claimed = async |(owner, host): (&str, &str), caps: (u32, u32)| {
        let scope = world.participant(owner);
        let more =
            |tx: &mut crate::Transaction<'_>| tx.enqueue(NewJob::new("work", "more", &0).calling(host));
        world.commit(&scope, more).await.expect("commits");
        let capped = |request: &mut crate::ClaimRequest| (request.per_owner_max, request.per_host_max) = caps;
        let jobs = world.claim_with("w", capped).await;
        let end = |tx: &mut crate::Transaction<'_>| {
            jobs.iter().for_each(|job| tx.complete(job));
            tx.cancel_jobs("more");
        };
        world.commit(&scope, end).await.expect("commits");
        jobs.len()
    };
    backlog(world, "alice", 1, Some("a.example")).await;
    backlog(world, "alice", 1, Some("b.example")).await;
    backlog(world, "bob", 1, Some("a.example")).await;
    assert_eq!(world.claim("w", 10).await.len(), 3);
    assert_eq!(claimed(("alice", "c.example"), (2, 9)).await, 0, "its owner holds two");
    assert_eq!(claimed(("alice", "c.example"), (3, 9)).await, 1);
    assert_eq!(claimed(("carol", "a.example"), (9, 2)).await, 0, "two calls to its host are under way");
    assert_eq!(claimed(("carol", "a.example"), (9, 3)).await, 1);
    assert_eq!(
        claimed(("bob", "a.example"), (2, 9)).await,
        0,
        "its owner has half of its places at this host"
    );
    assert_eq!(claimed(("bob", "a.example"), (3, 9)).await, 1);
}
