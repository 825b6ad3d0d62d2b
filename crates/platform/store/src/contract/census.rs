//! Counts for those who watch.

use std::time::Duration;

use super::World;
use crate::{DirectoryRow, JobCount, NewJob, PublishedCount, Write};

/// Jobs of all owners are counted by kind and by what they are doing, published rows by kind.
pub async fn a_census_counts_jobs_and_published_rows_of_all_owners(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    for scope in [&alice, &bob] {
        for key in ["a", "b"] {
            world.commit(scope, |tx| tx.enqueue(NewJob::new("work", key, &1))).await.expect("commits");
        }
        let key = scope.participant().to_string();
        // What a name says is no member.
        let value = serde_json::json!({"active": key == "alice", "name": "\"active\":false"});
        world.commit(scope, |tx| tx.publish(DirectoryRow::new("fact", key, &value))).await.expect("commits");
    }
    let begun = world.now();
    let claimed = world.claim("w", 2).await;
    let lease = claimed[0].lease.clone();
    let owner = if claimed[0].owner.to_string() == "p:alice" { &alice } else { &bob };
    let bury = Write::Bury { lease, error: "no".to_owned() };
    world.write(owner, vec![bury]).await.expect("commits");
    world.clock.advance(Duration::from_secs(7));
    let census = world.store.census().await.expect("it counts");
    let work = JobCount { kind: "work".to_owned(), waiting: 2, running: 1, dead: 1 };
    assert_eq!(census.jobs, [work]);
    assert_eq!(census.overdue_since, Some(begun));
    let fact = PublishedCount { kind: "fact".to_owned(), rows: 2, inactive: 1 };
    assert_eq!(census.published, [fact]);
}

/// The pools of connections are known, and nobody holds one while nothing happens.
pub async fn pools_are_told(world: &World) {
    world.store.census().await.expect("it counts");
    let pools = world.database().pools();
    assert!(!pools.is_empty() && pools.iter().all(|pool| pool.max > 0 && pool.busy <= pool.max), "{pools:?}");
}
