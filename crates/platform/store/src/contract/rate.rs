//! How many commits a second, for whoever wants to know. Asserts nothing.

use std::time::{Duration, Instant};

use super::{Thing, World};
use crate::NewEvent;

/// Commits a second by `committers` at once for `time`: each a new document of about a kilobyte and an event.
pub async fn commits_per_second(world: &World, committers: u64, time: Duration) -> f64 {
    let alice = world.participant("alice");
    let name = "x".repeat(900);
    let begun = Instant::now();
    let commit = async |committer: u64| {
        let mut done: u64 = 0;
        while begun.elapsed() < time {
            let thing = Thing::new(&format!("{committer}-{done}"), &name);
            let write = |tx: &mut crate::Transaction<'_>| {
                tx.insert(&thing);
                tx.emit(NewEvent::new("thing.created", "a", &done));
            };
            world.commit(&alice, write).await.expect("commits");
            done += 1;
        }
        done
    };
    let done: u64 = futures::future::join_all((0..committers).map(commit)).await.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let commits = done as f64;
    commits / begun.elapsed().as_secs_f64()
}
