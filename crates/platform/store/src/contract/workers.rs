//! The worker over a real database, on the machine's clock.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use heddle_clock::Environment;
use tokio::sync::{Notify, mpsc};

use super::{Thing, World};
use crate::{
    ClaimedJob, JobContext, JobHandler, NewJob, Outcome, RunningWorker, Store, StoreError, Worker,
    WorkerLimits,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// What a handler does with the job that it is given.
type Act = dyn Fn(&ClaimedJob) -> Outcome + Send + Sync;

/// Reports every job that it begins, waits if it is told to, and then does what it was made for.
struct Handler {
    begun: mpsc::UnboundedSender<ClaimedJob>,
    gate: Option<Arc<Notify>>,
    act: Box<Act>,
}

#[async_trait]
impl JobHandler for Handler {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        self.begun.send(context.job.clone()).expect("the test listens");
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        Ok((self.act)(&context.job))
    }
}

/// A store on the machine's clock with a worker, and the jobs that its handler begins.
struct Running {
    store: Store,
    worker: RunningWorker,
    begun: mpsc::UnboundedReceiver<ClaimedJob>,
}

impl Running {
    fn start(world: &World, gate: Option<Arc<Notify>>, act: Box<Act>) -> Self {
        Self::start_with(world, gate, act, WorkerLimits::default())
    }

    fn start_with(world: &World, gate: Option<Arc<Notify>>, act: Box<Act>, limits: WorkerLimits) -> Self {
        let store = Store::new(world.database().clone(), Environment::system());
        let (sender, begun) = mpsc::unbounded_channel();
        let handler = Arc::new(Handler { begun: sender, gate, act });
        let worker = Worker::new(store.clone(), world.scopes.clone(), limits).handle("work", handler).start();
        Self { store, worker, begun }
    }

    async fn enqueue(&self, world: &World, key: &str, payload: u32) {
        let alice = world.participant("alice");
        let mut tx = self.store.begin(&alice);
        tx.enqueue(NewJob::new("work", key, &payload));
        tx.commit().await.expect("commits");
    }

    async fn next(&mut self) -> ClaimedJob {
        tokio::time::timeout(PATIENCE, self.begun.recv()).await.expect("in time").expect("open")
    }
}

async fn jobs_left(world: &World) -> usize {
    let far = Environment::system().now() + Duration::from_secs(3600);
    world.claim_with("inspector", |request| request.now = far).await.len()
}

/// A job runs after the commit that enqueued it, whether that was here or elsewhere, and is finished.
pub async fn a_job_runs_after_its_commit(world: &World) {
    let elsewhere = Store::new(world.database().clone(), Environment::system());
    let mut running = Running::start(world, None, Box::new(|_| Outcome::Done));
    running.enqueue(world, "a", 1).await;
    assert_eq!(running.next().await.payload::<u32>().expect("a number"), 1);
    let alice = world.participant("alice");
    let mut tx = elsewhere.begin(&alice);
    tx.enqueue(NewJob::new("work", "b", &2));
    tx.commit().await.expect("commits");
    assert_eq!(running.next().await.payload::<u32>().expect("a number"), 2);
    running.worker.drain(PATIENCE).await;
    assert_eq!(jobs_left(world).await, 0);
}

/// A failure is counted and tried again after its wait, with nobody's help.
pub async fn a_failing_job_is_tried_again_later(world: &World) {
    let act = |job: &ClaimedJob| match job.attempts {
        0 | 1 => Outcome::Retry { error: "not yet".to_owned(), after: None },
        2 => Outcome::Retry { error: "wait".to_owned(), after: Some(Duration::from_millis(20)) },
        _ => Outcome::Done,
    };
    let mut running = Running::start(world, None, Box::new(act));
    running.enqueue(world, "a", 1).await;
    for attempts in 0..=3 {
        assert_eq!(running.next().await.attempts, attempts);
    }
    running.worker.drain(PATIENCE).await;
    assert_eq!(jobs_left(world).await, 0);
}

/// A panic is a failed attempt of that job and nothing else.
pub async fn a_panicking_handler_does_not_stop_the_worker(world: &World) {
    let act = |job: &ClaimedJob| {
        let payload: u32 = job.payload().expect("a number");
        assert!(payload != 1 || job.attempts > 0, "a panic on purpose");
        Outcome::Done
    };
    let mut running = Running::start(world, None, Box::new(act));
    running.enqueue(world, "a", 1).await;
    running.enqueue(world, "b", 2).await;
    let mut attempts = Vec::new();
    for _ in 0..3 {
        let job = running.next().await;
        attempts.push((job.payload::<u32>().expect("a number"), job.attempts));
    }
    attempts.sort_unstable();
    assert_eq!(attempts, [(1, 0), (1, 1), (2, 0)]);
    running.worker.drain(PATIENCE).await;
    assert_eq!(jobs_left(world).await, 0);
}

/// Draining waits for what has begun, and begins nothing more.
pub async fn a_drained_worker_has_finished_what_it_began(world: &World) {
    let gate = Arc::new(Notify::new());
    let mut running = Running::start(world, Some(gate.clone()), Box::new(|_| Outcome::Done));
    running.enqueue(world, "a", 1).await;
    running.next().await;
    let store = running.store.clone();
    let draining = tokio::spawn(running.worker.drain(PATIENCE));
    gate.notify_one();
    draining.await.expect("drains");
    assert_eq!(jobs_left(world).await, 0);
    let alice = world.participant("alice");
    let mut tx = store.begin(&alice);
    tx.insert(&Thing::new("a", ""));
    tx.enqueue(NewJob::new("work", "b", &2));
    tx.commit().await.expect("commits go on");
    assert!(running.begun.recv().await.is_none(), "nobody is left to run it");
    assert_eq!(jobs_left(world).await, 1, "and nobody holds it");
}

/// While one job of a key runs, the next waits; then it runs. In order, over many keys at once.
pub async fn jobs_of_a_key_never_overlap(world: &World) {
    let seen: Arc<Mutex<Vec<(String, u32)>>> = Arc::default();
    let record = seen.clone();
    let act = move |job: &ClaimedJob| {
        let entry = (job.order_key.clone(), job.payload().expect("a number"));
        record.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        Outcome::Done
    };
    let mut running = Running::start(world, None, Box::new(act));
    for n in 0..10 {
        for key in ["a", "b", "c"] {
            running.enqueue(world, key, n).await;
        }
    }
    for _ in 0..30 {
        running.next().await;
    }
    running.worker.drain(PATIENCE).await;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for key in ["a", "b", "c"] {
        let order: Vec<u32> = seen.iter().filter(|(k, _)| k == key).map(|(_, n)| *n).collect();
        assert_eq!(order, (0..10).collect::<Vec<u32>>(), "{key}");
    }
}

/// Who finds at the next extension that its lease is another's stops: its place is free again.
pub async fn a_run_whose_lease_was_lost_is_broken_off(world: &World) {
    // Nobody opens the gate: without an end from outside the first job would hold the only place for ever.
    let gate = Arc::new(Notify::new());
    let limits = WorkerLimits { jobs_max: 1, lease: Duration::from_millis(150), ..WorkerLimits::default() };
    let mut running = Running::start_with(world, Some(gate), Box::new(|_| Outcome::Done), limits);
    running.enqueue(world, "a", 1).await;
    assert_eq!(running.next().await.payload::<u32>().expect("a number"), 1);
    let now = Environment::system().now();
    let later = |request: &mut crate::ClaimRequest| {
        // As if the first lease had run out.
        request.now = now + PATIENCE;
        request.until = now + PATIENCE * 100;
    };
    assert_eq!(world.claim_with("other", later).await.len(), 1);
    running.enqueue(world, "b", 2).await;
    assert_eq!(running.next().await.payload::<u32>().expect("a number"), 2);
    running.worker.drain(Duration::ZERO).await;
}
