//! Nobody polls: who waits asks the database nothing until something was committed.

use std::time::Duration;

use futures::StreamExt as _;
use heddle_bus::{Audience, follow};
use heddle_store::EventCursor;

use crate::support::{HOURS, PATIENCE, Working, alice, commit, replica, url};

/// What one commit elsewhere may cost who waits for jobs and events: it is woken for the job, for its end and for the
/// event; each time a worker claims and asks when the next job falls due, and a feed reads; and the job is finished.
const CALLS_FOR_A_COMMIT_MAX: usize = 16;

/// As long as leases last.
const LEASE: Duration = Duration::from_secs(31);
/// How long nothing may be asked before nothing more is under way.
const QUIET: Duration = Duration::from_millis(700);

/// What was asked of the database within an hour of waiting, and for one commit behind it.
async fn asked(safety_net: Duration) -> (Vec<&'static str>, Vec<&'static str>) {
    let url = url().await;
    let ((one, _), (other, counted)) = (replica(&url, safety_net).await, replica(&url, safety_net).await);
    let mut working = Working::on(&other);
    let mut heard = Box::pin(follow(other.clone(), Audience::Participant(alice()), EventCursor(0)));
    // Gives what was asked until nothing more is.
    let mut exchange = async |subject: &str| {
        let mut calls = counted.calls();
        commit(&one, subject).await.expect("commits");
        assert_eq!(working.next().await, subject);
        let next = tokio::time::timeout(PATIENCE, heard.next()).await.expect("in time").expect("no end");
        assert_eq!(next.expect("it is read").subject, subject);
        loop {
            // The feed looks whether there is more, and the worker what else is due.
            drop(tokio::time::timeout(QUIET, heard.next()).await);
            match counted.calls() {
                more if more.is_empty() => return calls,
                more => calls.extend(more),
            }
        }
    };
    exchange("first").await;
    // When the lease of a job that ran would have ended, it is looked at once.
    pass(LEASE).await;
    exchange("second").await;
    pass(LEASE).await;
    counted.calls();
    pass(Duration::from_secs(3600)).await;
    let waiting = counted.calls();
    (waiting, exchange("third").await)
}

/// Lets time pass for everybody who waits.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
    tokio::time::sleep(QUIET).await;
}

#[tokio::test]
async fn an_hour_of_waiting_asks_nothing_and_a_commit_wakes_who_waits() {
    let (waiting, commit) = asked(HOURS).await;
    assert!(waiting.is_empty(), "nobody asks while nothing happens: {waiting:?}");
    assert!((1..=CALLS_FOR_A_COMMIT_MAX).contains(&commit.len()), "for one commit: {commit:?}");
}

#[tokio::test]
async fn the_safety_net_is_what_asks_without_being_woken() {
    let (waiting, _) = asked(Duration::from_secs(3000)).await;
    assert!(!waiting.is_empty(), "what was asked would show a poll");
}
