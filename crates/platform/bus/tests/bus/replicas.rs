//! What one replica commits wakes the other, with safety nets of hours.

use std::{collections::BTreeSet, pin::Pin, time::Duration};

use futures::{Stream, StreamExt as _};
use heddle_bus::{Audience, follow};
use heddle_store::{Event, EventCursor, Store, StoreError, WorkerLimits};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{HOURS, PATIENCE, Working, alice, commit, replica, sql, url};

struct Heard(Pin<Box<dyn Stream<Item = Result<Event, StoreError>> + Send>>);

impl Heard {
    fn from_the_beginning(store: &Store) -> Self {
        Self(Box::pin(follow(store.clone(), Audience::Participant(alice()), EventCursor(0))))
    }

    async fn next(&mut self) -> String {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("the event comes");
        next.expect("a feed has no end").expect("it is read").subject
    }
}

/// Ends sessions of a database; gives how many.
async fn end_sessions(url: &str, which: &str) -> u64 {
    let end = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND usename = 'heddle' AND {which}"
    );
    sql(url, &end).await.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_and_an_event_of_one_replica_wake_the_other() {
    let url = url().await;
    let ((one, _), (other, _)) = (replica(&url, HOURS).await, replica(&url, HOURS).await);
    let (mut working, mut heard) = (Working::on(&other), Heard::from_the_beginning(&other));
    for n in 0..20 {
        commit(&one, &n.to_string()).await.expect("commits");
        assert_eq!((working.next().await, heard.next().await), (n.to_string(), n.to_string()));
    }
}

/// A place that becomes free while the worker looks for one must not be overlooked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_jobs_than_there_are_places_for_are_all_run() {
    let url = url().await;
    let ((one, _), (other, _)) = (replica(&url, HOURS).await, replica(&url, HOURS).await);
    let limits = WorkerLimits { jobs_max: 2, ..WorkerLimits::default() };
    let mut working = Working::with(&other, limits);
    let mut wanted: BTreeSet<String> = (0..200).map(|n| n.to_string()).collect();
    let commits = async {
        for subject in (0..200).map(|n| n.to_string()) {
            commit(&one, &subject).await.expect("commits");
        }
    };
    let jobs = async {
        while !wanted.is_empty() {
            wanted.remove(&working.next().await);
        }
    };
    tokio::join!(commits, jobs);
}

/// Neither who tells nor who listens has its session when the commit comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_sessions_that_carry_wake_ups_are_ended() {
    let url = url().await;
    let ((one, _), (other, _)) = (replica(&url, HOURS).await, replica(&url, HOURS).await);
    let (mut working, mut heard) = (Working::on(&other), Heard::from_the_beginning(&other));
    let mut ended = 0;
    for n in 0..10 {
        let subject = n.to_string();
        let (sessions, committed) =
            tokio::join!(end_sessions(&url, "application_name = 'heddle listener'"), commit(&one, &subject));
        committed.expect("the pool's sessions are left alone");
        ended += sessions;
        assert_eq!((working.next().await, heard.next().await), (subject.clone(), subject));
    }
    // Every other round may find none: a session that was ended comes back after a while.
    assert!(ended >= 4, "{ended} sessions were ended");
}

/// Who listens hears nothing of it, and depends on who tells: whose session ends while it tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_a_session_is_ended_in_the_middle_of_a_wake_up() {
    let url = url().await;
    let (one, _) = replica(&format!("{url}?application_name=teller"), HOURS).await;
    let (other, _) = replica(&url, HOURS).await;
    let (mut working, mut heard) = (Working::on(&other), Heard::from_the_beginning(&other));
    let teller = "application_name = 'teller listener'";
    for n in 0..3 {
        let subject = n.to_string();
        let mut session = String::new();
        while session.is_empty() {
            session = sql(&url, &format!("SELECT pid FROM pg_stat_activity WHERE {teller}")).await;
        }
        // The server's end of it takes what it is sent, and does nothing.
        send(Signal::STOP, &session);
        commit(&one, &subject).await.expect("the pool's sessions are left alone");
        // What was sent is seen nowhere: should it not be yet, this round only shows less.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(end_sessions(&url, teller).await, 1);
        send(Signal::CONT, &session);
        assert_eq!((working.next().await, heard.next().await), (subject.clone(), subject));
    }
}

/// Sends a signal to a process of the server, which belongs to us or runs below us.
fn send(signal: Signal, process: &str) {
    let id = process.trim().parse().ok().and_then(Pid::from_raw).expect("the number of a process");
    kill_process(id, signal).expect("it runs");
}

/// Those of the pools too: whoever commits may not learn that it was committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_all_sessions_are_ended() {
    let url = url().await;
    let ((one, _), (other, _)) = (replica(&url, HOURS).await, replica(&url, HOURS).await);
    let (mut working, mut heard) = (Working::on(&other), Heard::from_the_beginning(&other));
    for n in 0..10 {
        let subject = n.to_string();
        let committed = async {
            // What is repeated may be there twice; once it is.
            while commit(&one, &subject).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(end_sessions(&url, "true"), committed);
        let (mut job, mut event) = (working.next().await, heard.next().await);
        while job != subject {
            job = working.next().await;
        }
        while event != subject {
            event = heard.next().await;
        }
    }
}
