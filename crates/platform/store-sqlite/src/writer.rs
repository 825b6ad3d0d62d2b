//! The thread that writes.
//!
//! ```text
//! commit() ─▶ queue ─▶ BEGIN IMMEDIATE ─▶ (SAVEPOINT, apply, RELEASE | ROLLBACK TO)* ─▶ COMMIT ─▶ replies
//! ```
//!
//! Whatever waits when a group begins, up to [`GROUP_MAX`], shares its `fsync`. Nobody waits for a group to fill.

use std::{
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
};

use heddle_store::{Signals, StoreError};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::error::{closed, of_statement};

mod task;

use task::{Task, Work};

/// Most pieces of work in one group.
const GROUP_MAX: usize = 64;
/// Most pieces of work that wait; more make their senders wait.
const QUEUE_MAX: usize = 1024;

/// What waiters are to be told after a piece of work is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// A job may be claimable, or the time of the next one has changed.
    pub(crate) jobs: bool,
    /// Events were written.
    pub(crate) events: bool,
    /// Entries of the audit log were written, which are to be sealed.
    pub(crate) audit: bool,
}

impl Moved {
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            jobs: self.jobs || other.jobs,
            events: self.events || other.events,
            audit: self.audit || other.audit,
        }
    }
}

/// The way to the writer thread.
#[derive(Debug)]
pub(crate) struct Writer {
    /// `None` only while it is dropped.
    queue: Option<mpsc::Sender<Option<Box<dyn Work>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread; it keeps `held` (the lock, a temporary directory) until its connection is closed.
    pub(crate) fn start(
        connection: Connection,
        held: impl Send + 'static,
        signals: Signals,
    ) -> Result<Self, StoreError> {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                write(&connection, waiting, &signals);
                drop(connection);
                drop(held);
            })
            .map_err(|e| StoreError::Unusable { reason: format!("the writer thread cannot start: {e}") })?;
        Ok(Self { queue: Some(queue), thread: Mutex::new(Some(thread)) })
    }

    /// Does `work` within a group. On an error of its own its writes are undone, on an error of the group's commit
    /// those of all. Once queued it happens, even if the caller goes away.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<(T, Moved), StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Task::new(work, reply);
        let queue = self.queue.as_ref().ok_or_else(closed)?;
        queue.send(Some(Box::new(task))).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Finishes what is queued and ends the thread.
    pub(crate) async fn close(&self) {
        if let Some(queue) = &self.queue {
            // It fails when the thread has ended already, which is what is wanted.
            drop(queue.send(None).await);
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!(component = "store", action = "close", "the writer thread had panicked");
            }
        }
    }
}

impl Drop for Writer {
    /// Waits for what is queued: after it, the file is free.
    fn drop(&mut self) {
        self.queue = None;
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the thread was reported by it.
            drop(thread.join());
        }
    }
}

fn write(connection: &Connection, mut waiting: mpsc::Receiver<Option<Box<dyn Work>>>, signals: &Signals) {
    while let Some(Some(first)) = waiting.blocking_recv() {
        let mut group = vec![first];
        let mut last = false;
        while group.len() < GROUP_MAX && !last {
            match waiting.try_recv() {
                Ok(Some(next)) => group.push(next),
                Ok(None) => last = true,
                Err(_) => break,
            }
        }
        commit_group(connection, group, signals);
        if last {
            return;
        }
    }
}

fn commit_group(connection: &Connection, mut group: Vec<Box<dyn Work>>, signals: &Signals) {
    let mut moved = Moved::default();
    let outcome = apply_group(connection, &mut group, &mut moved);
    if outcome.is_err() && !connection.is_autocommit() {
        // If even this fails, the next group's BEGIN reports it.
        drop(connection.execute_batch("ROLLBACK"));
    }
    if let Err(error) = &outcome {
        tracing::error!(component = "store", action = "commit", %error, "a group of commits failed");
    } else {
        if moved.jobs {
            signals.notify_jobs();
        }
        if moved.events {
            signals.notify_events();
        }
        if moved.audit {
            signals.notify_audit();
        }
    }
    for work in group {
        work.answer(outcome.as_ref().copied());
    }
}

fn apply_group(
    connection: &Connection,
    group: &mut [Box<dyn Work>],
    moved: &mut Moved,
) -> Result<(), rusqlite::Error> {
    let run = |sql: &str| connection.prepare_cached(sql)?.execute([]).map(drop);
    run("BEGIN IMMEDIATE")?;
    for work in group {
        run("SAVEPOINT work")?;
        match work.apply(connection) {
            Some(of_work) => *moved = moved.and(of_work),
            // A full disk or a failed read has taken the whole transaction with it; then this fails too.
            None => run("ROLLBACK TO work")?,
        }
        run("RELEASE work")?;
    }
    run("COMMIT")
}

/// For code that runs within a group and has only SQLite's own errors.
pub(crate) fn in_group<T>(result: rusqlite::Result<T>) -> Result<T, StoreError> {
    result.map_err(of_statement)
}
