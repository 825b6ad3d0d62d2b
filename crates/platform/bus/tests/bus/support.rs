//! Replicas of a test's own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use heddle_clock::{Environment, Timestamp};
use heddle_ids::ParticipantContextId;
use heddle_store::{
    Batch, ClaimRequest, ClaimedJob, Database, DeadJob, DeadJobQuery, Event, EventCursor, EventQuery,
    JobContext, JobHandler, Lease, NewEvent, NewJob, Outcome, Published, Receipt, RunningWorker, Signals,
    Snapshot, Store, StoreError, Worker, WorkerLimits,
    audit::{AuditHead, AuditLog},
};
use heddle_store_postgres::{PostgresDatabase, PostgresOptions, testing::TestPostgres};
use heddle_tenancy::{Access, Actor, Directory, ParticipantScope, ScopeIssuer};
use tokio::sync::mpsc;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Far longer than any test: who waits for it waits in vain.
pub const HOURS: Duration = Duration::from_secs(3 * 3600);

#[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
pub fn issuer() -> ScopeIssuer {
    ScopeIssuer::new()
}

pub fn alice() -> ParticipantScope {
    issuer().participant(ParticipantContextId::parse("alice").expect("legal"), Actor::new("test"))
}

/// The URL of an empty database.
pub async fn url() -> String {
    tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database")
}

/// Runs SQL as a superuser.
pub async fn sql(url: &str, sql: &str) -> String {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let run = tokio::task::spawn_blocking(move || TestPostgres::shared().administer(&url, &sql));
    run.await.expect("it runs")
}

/// A process's store on a database that others use too.
pub async fn replica(url: &str, safety_net: Duration) -> (Store, Arc<Counted>) {
    let options = PostgresOptions { connections_max: 6, safety_net, ..PostgresOptions::default() };
    let database = PostgresDatabase::connect(url, &options, &Environment::system()).await.expect("connects");
    let counted = Arc::new(Counted { database: Arc::new(database), calls: Mutex::default() });
    (Store::new(counted.clone(), Environment::system()), counted)
}

/// Commits an event of type `e` and a job of kind `work` about `subject`.
pub async fn commit(store: &Store, subject: &str) -> Result<(), StoreError> {
    let alice = alice();
    let mut transaction = store.begin(&alice);
    transaction.enqueue(NewJob::new("work", subject, &subject));
    transaction.emit(NewEvent::new("e", subject, &()));
    transaction.commit().await
}

/// Runs jobs of kind `work` and tells their payloads.
pub struct Working {
    pub done: mpsc::UnboundedReceiver<String>,
    _worker: RunningWorker,
}

impl Working {
    pub fn on(store: &Store) -> Self {
        Self::with(store, WorkerLimits::default())
    }

    pub fn with(store: &Store, limits: WorkerLimits) -> Self {
        let (sender, done) = mpsc::unbounded_channel();
        let worker = Worker::new(store.clone(), Arc::new(issuer()), limits);
        Self { done, _worker: worker.handle("work", Arc::new(Teller(sender))).start() }
    }

    pub async fn next(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.done.recv()).await.expect("the job runs").expect("open")
    }
}

struct Teller(mpsc::UnboundedSender<String>);

#[async_trait]
impl JobHandler for Teller {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        self.0.send(context.job.payload()?).expect("the test listens");
        Ok(Outcome::Done)
    }
}

/// Writes down what is asked of the database behind it.
pub struct Counted {
    database: Arc<dyn Database>,
    calls: Mutex<Vec<&'static str>>,
}

impl Counted {
    /// What was asked since this was called last.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn asked(&self, what: &'static str) -> &dyn Database {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        &*self.database
    }
}

#[async_trait]
impl Database for Counted {
    async fn snapshot(&self, access: Access) -> Result<Box<dyn Snapshot>, StoreError> {
        self.asked("snapshot").snapshot(access).await
    }

    async fn commit(&self, access: Access, batch: Batch) -> Result<Receipt, StoreError> {
        self.asked("commit").commit(access, batch).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<ClaimedJob>, StoreError> {
        self.asked("claim").claim(request).await
    }

    async fn extend(&self, leases: &[Lease], until: Timestamp) -> Result<Vec<Lease>, StoreError> {
        self.asked("extend").extend(leases, until).await
    }

    async fn next_due(&self, kinds: &[String], after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.asked("next_due").next_due(kinds, after).await
    }

    async fn events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError> {
        self.asked("events").events(query).await
    }

    async fn newest_event(&self) -> Result<EventCursor, StoreError> {
        self.asked("newest_event").newest_event().await
    }

    async fn lookup(&self, scope: Directory, kind: &str, key: &str) -> Result<Option<Published>, StoreError> {
        self.asked("lookup").lookup(scope, kind, key).await
    }

    async fn published(
        &self,
        scope: Directory,
        kind: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Published>, StoreError> {
        self.asked("published").published(scope, kind, after, limit).await
    }

    async fn sweep(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.asked("sweep").sweep(now, limit).await
    }

    async fn dead_jobs(&self, query: DeadJobQuery) -> Result<Vec<DeadJob>, StoreError> {
        self.asked("dead_jobs").dead_jobs(query).await
    }

    async fn seal_audit(&self, limit: u32) -> Result<Option<AuditHead>, StoreError> {
        self.asked("seal_audit").seal_audit(limit).await
    }

    fn audit_log(&self) -> &dyn AuditLog {
        self.asked("audit_log").audit_log()
    }

    fn signals(&self) -> &Signals {
        self.database.signals()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.asked("ping").ping().await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}
