//! Runs jobs: claims them, calls their handlers, gives back what failed.
//!
//! A job whose commit happens in this process is usually claimed in that same commit and handed over directly
//! ([`Dispatcher`]); everything else (other processes' jobs, retries, jobs behind others of their key) is claimed
//! when the database signals or when the next one falls due. A handler may be called twice for one job: it must
//! finish the job ([`crate::Transaction::complete`]) in the commit that holds its effect.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_ids::WorkerId;
use heddle_tenancy::{JobScope, ScopeIssuer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{ClaimedJob, Store, StoreError};

mod dispatcher;
mod numbers;
mod run;

pub(crate) use dispatcher::{Dispatcher, Reservation};

/// What a handler is given.
#[derive(Debug)]
pub struct JobContext {
    /// Everything of the job's owner.
    pub scope: JobScope,
    /// The job.
    pub job: ClaimedJob,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The handler has finished the job in a commit of its own.
    Completed,
    /// Nothing is left to do; the worker finishes the job.
    Done,
    /// It failed and may succeed later; the worker gives it back.
    Retry {
        /// What went wrong, for the person who looks.
        error: String,
        /// How long to wait; `None` is the usual backoff.
        after: Option<Duration>,
    },
    /// It can never succeed; the worker sets it aside for a person.
    Bury {
        /// What went wrong.
        error: String,
    },
}

/// Runs the jobs of one kind.
#[async_trait]
pub trait JobHandler: Send + Sync {
    /// Does the job. A `StoreError` is handled by the worker: `Stale` and `Unavailable` are tried again, a lost
    /// lease means that somebody else goes on.
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError>;
}

/// How much a worker takes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerLimits {
    /// Most jobs at a time.
    pub jobs_max: usize,
    /// Most jobs of one owner at a time, over all workers.
    pub per_owner_max: u32,
    /// Most jobs for one remote host at a time, over all workers.
    pub per_host_max: u32,
    /// How long a lease lasts; it is extended while the job runs.
    pub lease: Duration,
    /// Attempts after which a job that its handler would still retry is set aside.
    pub attempts_max: u32,
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self {
            jobs_max: 64,
            per_owner_max: 16,
            per_host_max: 32,
            lease: Duration::from_secs(30),
            attempts_max: 20,
        }
    }
}

/// The jobs of one process: handlers by kind, and the loop that feeds them.
pub struct Worker {
    store: Store,
    scopes: Arc<ScopeIssuer>,
    handlers: BTreeMap<String, Arc<dyn JobHandler>>,
    limits: WorkerLimits,
}

impl Worker {
    /// A worker without handlers.
    #[must_use]
    pub fn new(store: Store, scopes: Arc<ScopeIssuer>, limits: WorkerLimits) -> Self {
        Self { store, scopes, handlers: BTreeMap::new(), limits }
    }

    /// Runs jobs of `kind` with `handler`.
    #[must_use]
    pub fn handle(mut self, kind: &str, handler: Arc<dyn JobHandler>) -> Self {
        self.handlers.insert(kind.to_owned(), handler);
        self
    }

    /// Starts the loop. Jobs run until [`RunningWorker::drain`].
    pub fn start(self) -> RunningWorker {
        let (ms, random) = self.store.environment.id_parts();
        let id = WorkerId::from_parts(ms, random);
        let (sender, receiver) = mpsc::unbounded_channel();
        let permits = Arc::new(Semaphore::new(self.limits.jobs_max));
        let dispatcher = Dispatcher::new(id.clone(), &self, permits.clone(), sender);
        // A second worker of the same process would never be handed a job directly; it still claims.
        drop(self.store.dispatcher.set(dispatcher));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let limits = self.limits;
        let task = tokio::spawn(run::Loop::new(id, self, permits.clone(), receiver, stopped).run());
        RunningWorker { stop, task, permits, jobs_max: limits.jobs_max }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("kinds", &self.handlers.keys()).finish_non_exhaustive()
    }
}

/// A started [`Worker`].
#[derive(Debug)]
pub struct RunningWorker {
    stop: tokio::sync::watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    permits: Arc<Semaphore>,
    jobs_max: usize,
}

impl RunningWorker {
    /// Claims nothing more and waits until the jobs under way have ended, at most `patience`. What has not
    /// ended by then is given up; its lease runs out and another worker repeats it.
    pub async fn drain(self, patience: Duration) {
        self.stop.send_replace(true);
        let all = u32::try_from(self.jobs_max).unwrap_or(u32::MAX);
        let finished = tokio::time::timeout(patience, self.permits.acquire_many(all)).await;
        if finished.is_err() {
            tracing::warn!(
                component = "worker",
                action = "drain",
                "jobs were still running when patience ended"
            );
        }
        // Nothing more may be handed over to a worker that is gone.
        self.permits.close();
        self.task.abort();
    }
}

/// A job on its way to its handler, with the place that it takes.
struct Dispatched {
    job: ClaimedJob,
    permit: OwnedSemaphorePermit,
}

fn lease_end(now: Timestamp, limits: &WorkerLimits) -> Timestamp {
    now + limits.lease
}
