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
    assert_eq!(by_owner(&jobs), counts(&[("alice", 1), ("bob", 2), ("busy", 3)]));
    let owners: std::collections::BTreeSet<_> = jobs[..3].iter().map(|job| job.owner.to_string()).collect();
    assert_eq!(owners.len(), 3, "the first round has one of each");
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
