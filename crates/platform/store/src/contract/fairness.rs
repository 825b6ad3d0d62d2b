//! One dead peer and a long queue for it: whoever else waits does not notice.

use super::World;
use heddle_tenancy::Owner;

use crate::{ClaimedJob, NewJob};

/// How many jobs wait for the dead peer.
const QUEUE: u32 = 10_000;
const DEAD: &str = "dead.example";

/// What the others have to do: some call hosts that live, some call nobody.
const OTHERS: [(&str, u32, Option<&str>); 5] = [
    ("alice", 7, None),
    ("bob", 12, Some("alive.example")),
    ("carol", 3, Some("alive.example")),
    ("dave", 9, None),
    ("zoe", 5, Some("other.example")),
];

/// What comes back of each job that a worker claims.
#[derive(Clone, Copy)]
enum Calls {
    /// Everything is done before the next claim, but for calls of the dead peer, which hold their places.
    End,
    /// Nothing is: everything holds its place.
    Hang,
}

async fn enqueue(world: &World, owner: &str, jobs: u32, host: Option<&str>) {
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

fn calls_the_dead(job: &ClaimedJob) -> bool {
    job.order_key.contains(DEAD)
}

/// The others' jobs, in the order in which a worker with `places` free places claims them; all that is left is done
/// afterwards.
async fn order_of_the_others(world: &World, places: u32, calls: Calls) -> Vec<String> {
    for (owner, jobs, host) in OTHERS {
        enqueue(world, owner, jobs, host).await;
    }
    let wanted: usize = OTHERS.iter().map(|(_, jobs, _)| *jobs as usize).sum();
    let (mut order, mut held, mut after) = (Vec::new(), Vec::new(), None);
    while order.len() < wanted {
        let request = |request: &mut crate::ClaimRequest| {
            (request.limit, request.after) = (places, after.clone());
            (request.per_owner_max, request.per_host_max) = (24, 32);
        };
        let jobs = world.claim_with("w", request).await;
        assert!(!jobs.is_empty(), "{} of {wanted} were claimed, and no more can be", order.len());
        after = jobs.last().map(|job| job.owner.clone());
        for job in jobs {
            if !calls_the_dead(&job) {
                order.push(format!("{} {}", job.owner, job.order_key));
            }
            match calls {
                Calls::End if !calls_the_dead(&job) => complete(world, &job).await,
                Calls::End | Calls::Hang => held.push(job),
            }
        }
    }
    for job in held {
        complete(world, &job).await;
    }
    order
}

async fn complete(world: &World, job: &ClaimedJob) {
    let Owner::Participant(id) = &job.owner else { panic!("a participant's job") };
    let scope = world.participant(id.as_str());
    world.commit(&scope, |tx| tx.complete(job)).await.expect("commits");
}

/// With one dead peer and 10,000 jobs queued for it, the others' jobs are claimed in exactly the order in which they are
/// claimed without it: however many places a worker has, and whether what it has claimed ends at once or hangs.
pub async fn a_dead_peer_changes_nobody_elses_order(world: &World) {
    let cases = [(1, Calls::End), (4, Calls::End), (7, Calls::Hang), (64, Calls::End), (64, Calls::Hang)];
    let mut without = Vec::new();
    for (places, calls) in cases {
        without.push(order_of_the_others(world, places, calls).await);
    }
    // Its name lies between the others', and so does its queue.
    enqueue(world, "mallory", QUEUE, Some(DEAD)).await;
    for ((places, calls), without) in cases.into_iter().zip(without) {
        assert_eq!(order_of_the_others(world, places, calls).await, without, "{places} places");
    }
}
