//! Clocks that jump while leases run: nothing is lost, and nothing happens twice.

use std::{sync::Arc, time::Duration};

use heddle_clock::{Environment, FixedClock, SeededRng, Timestamp};

use super::{Thing, World};
use crate::{ClaimedJob, NewEvent, NewJob, StoreError, audit::verify};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The same database with a clock that was set back by a day.
fn a_day_back(world: &World) -> World {
    let day = i64::try_from(DAY.as_millis()).expect("small");
    let clock = FixedClock::at(Timestamp::from_millis(world.now().as_millis() - day));
    let environment = Environment::new(Arc::new(clock.clone()), Arc::new(SeededRng::new(8)));
    World::new(world.database().clone(), environment, clock)
}

async fn enqueue(world: &World, key: &str) {
    let alice = world.participant("alice");
    world.commit(&alice, |tx| tx.enqueue(NewJob::new("work", key, &()))).await.expect("commits");
}

/// The effect of a job, in the commit that finishes it.
async fn finish(world: &World, job: &ClaimedJob) -> Result<(), StoreError> {
    let alice = world.participant("alice");
    let effect = Thing::new(&job.order_key, "done");
    world
        .commit(&alice, |tx| {
            tx.insert(&effect);
            tx.emit(NewEvent::new("done", job.order_key.clone(), &()));
            tx.audit("done", job.order_key.clone());
            tx.complete(job);
        })
        .await
}

/// How often each of `keys` is done: exactly once, in what is stored and in what is told.
async fn each_is_done_once(world: &World, keys: &[&str]) {
    let alice = world.participant("alice");
    for key in keys {
        assert!(world.read(&alice, key).await.is_some(), "{key} is lost");
    }
    let events = super::events::follow(world, &alice, keys.len()).await;
    let mut told: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
    told.sort_unstable();
    assert_eq!(told, keys);
    while world.database().seal_audit(10).await.expect("seals").is_some() {}
    let report = verify(world.database().audit_log(), &[]).await.expect("reads");
    assert_eq!((report.head.place, report.broken), (keys.len() as u64, None));
}

/// Leases seem to have run out: others take the jobs, and who held them is fenced off.
pub async fn a_jump_forward_while_leases_run_loses_nothing_and_doubles_nothing(world: &World) {
    enqueue(world, "a").await;
    enqueue(world, "b").await;
    let held = world.claim("first", 10).await;
    assert_eq!(held.len(), 2);
    finish(world, &held[0]).await.expect("it still holds this one");
    world.clock.advance(DAY);
    let taken = world.claim("second", 10).await;
    assert_eq!(taken.len(), 1, "what was finished is not taken");
    let late = finish(world, &held[1]).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
    finish(world, &taken[0]).await.expect("the second holder goes on");
    each_is_done_once(world, &["a", "b"]).await;
    assert!(world.claim("third", 10).await.is_empty());
}

/// Leases last longer than they should: nobody else takes the jobs, and who holds them may finish and extend.
pub async fn a_jump_back_while_leases_run_loses_nothing_and_doubles_nothing(world: &World) {
    enqueue(world, "a").await;
    enqueue(world, "b").await;
    let held = world.claim("first", 10).await;
    let world = &a_day_back(world);
    assert!(world.claim("second", 10).await.is_empty());
    let leases: Vec<_> = held.iter().map(|job| job.lease.clone()).collect();
    let until = world.now() + Duration::from_secs(30);
    assert!(world.database().extend(&leases, until).await.expect("extends").is_empty(), "none is lost");
    finish(world, &held[0]).await.expect("it holds it");
    // The rest of a holder that died was due before the jump, and so it is when the clock has caught up.
    world.clock.advance(DAY);
    let taken = world.claim("second", 10).await;
    assert_eq!(taken.len(), 1);
    assert!(finish(world, &held[1]).await.is_err(), "the first holder is fenced off");
    finish(world, &taken[0]).await.expect("the second holder goes on");
    each_is_done_once(world, &["a", "b"]).await;
}

/// What was to be done before the jump waits until its time comes; what is decided after it is done at once.
pub async fn a_jump_back_delays_what_was_planned_before_and_nothing_after(world: &World) {
    enqueue(world, "before").await;
    let world = &a_day_back(world);
    enqueue(world, "after").await;
    let first = world.claim("w", 10).await;
    assert_eq!(first.iter().map(|job| job.order_key.as_str()).collect::<Vec<_>>(), ["after"]);
    finish(world, &first[0]).await.expect("it holds it");
    let due = world.database().next_due(&["work".to_owned()], world.now()).await.expect("reads");
    assert_eq!(due, Some(world.now() + DAY), "it is not forgotten");
    world.clock.advance(DAY);
    let second = world.claim("w", 10).await;
    assert_eq!(second.iter().map(|job| job.order_key.as_str()).collect::<Vec<_>>(), ["before"]);
    finish(world, &second[0]).await.expect("it holds it");
    each_is_done_once(world, &["after", "before"]).await;
}
