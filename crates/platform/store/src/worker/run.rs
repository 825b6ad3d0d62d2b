//! The long way: the loop that claims what is due, and what happens around a handler.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::FutureExt;
use heddle_clock::Timestamp;
use heddle_ids::{JobId, WorkerId};
use heddle_telemetry::{spans, trace};
use heddle_tenancy::Owner;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::Instant,
};
use tracing::Instrument;

use super::{Dispatched, JobContext, JobHandler, Outcome, Worker, lease_end, numbers};
use crate::{Backoff, Batch, ClaimRequest, ClaimedJob, Lease, StoreError, Write};

/// How long to leave the database alone after it was not available.
const TROUBLE_WAIT: Duration = Duration::from_millis(500);

pub(super) struct Loop {
    id: WorkerId,
    worker: Arc<Worker>,
    kinds: Vec<String>,
    permits: Arc<Semaphore>,
    dispatched: mpsc::UnboundedReceiver<Dispatched>,
    stopped: watch::Receiver<bool>,
    /// Whose job was the last that was claimed: the round goes on behind it.
    after: Option<Owner>,
    /// Jobs may be waiting for a place; the next job that ends looks for them.
    wants_room: Arc<AtomicBool>,
    under_way: Arc<Mutex<BTreeMap<JobId, UnderWay>>>,
}

/// A job under way.
struct UnderWay {
    /// To be extended.
    lease: Lease,
    /// It could not be: somebody else goes on.
    lost: Arc<Notify>,
}

impl Loop {
    pub(super) fn new(
        id: WorkerId,
        worker: Worker,
        permits: Arc<Semaphore>,
        dispatched: mpsc::UnboundedReceiver<Dispatched>,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        let kinds = worker.handlers.keys().cloned().collect();
        let wants_room = Arc::new(AtomicBool::new(false));
        let under_way = Arc::default();
        let worker = Arc::new(worker);
        Self { id, worker, kinds, permits, dispatched, stopped, after: None, wants_room, under_way }
    }

    pub(super) async fn run(mut self) {
        let mut signal = self.worker.store.signals().jobs();
        let mut extend = tokio::time::interval(self.worker.limits.lease / 3);
        extend.reset();
        let mut next_look = Instant::now();
        loop {
            let stopped = *self.stopped.borrow();
            tokio::select! {
                Some(next) = self.dispatched.recv() => self.spawn(next),
                () = tokio::time::sleep_until(next_look), if !stopped => {
                    signal.mark_unchanged();
                    next_look = Instant::now() + self.claim().await;
                }
                // At once: a timer would round up to its next tick.
                Ok(()) = signal.changed(), if !stopped => next_look = Instant::now() + self.claim().await,
                _ = extend.tick() => self.extend().await,
                Ok(()) = self.stopped.changed(), if !stopped => {}
            }
        }
    }

    /// Claims what there is room for and says how long to wait for more.
    async fn claim(&mut self) -> Duration {
        let mut permits = self.room();
        if permits.is_empty() {
            self.wants_room.store(true, Ordering::SeqCst);
            // The last of them may have ended before it could know.
            permits = self.room();
        }
        let room = permits.len();
        if room == 0 {
            return self.safety_net();
        }
        let request = self.request(room);
        let now = request.now;
        match self.worker.store.database.claim(request).await {
            Ok(jobs) => {
                let found = jobs.len();
                self.after = jobs.last().map(|job| job.owner.clone()).or(self.after.take());
                if found == room {
                    // There may be more than there was room for; told before the first of these can end.
                    self.wants_room.store(true, Ordering::SeqCst);
                }
                for (job, permit) in jobs.into_iter().zip(permits) {
                    self.spawn(Dispatched { job, permit });
                }
                if found == room {
                    return self.safety_net();
                }
                self.until_next_due(now).await
            }
            Err(error) => {
                tracing::warn!(component = "worker", action = "claim", %error, "no jobs could be claimed");
                TROUBLE_WAIT
            }
        }
    }

    /// Places for jobs, all that are free.
    fn room(&self) -> Vec<OwnedSemaphorePermit> {
        std::iter::from_fn(|| self.permits.clone().try_acquire_owned().ok()).collect()
    }

    fn safety_net(&self) -> Duration {
        self.worker.store.signals().safety_net()
    }

    fn request(&self, room: usize) -> ClaimRequest {
        let (limits, environment) = (&self.worker.limits, &self.worker.store.environment);
        let now = environment.now();
        ClaimRequest {
            worker: self.id.clone(),
            kinds: self.kinds.clone(),
            limit: u32::try_from(room).unwrap_or(u32::MAX),
            after: self.after.clone(),
            per_owner_max: limits.per_owner_max,
            per_host_max: limits.per_host_max,
            now,
            until: lease_end(now, limits),
            token: URL_SAFE_NO_PAD.encode(environment.random::<12>()),
        }
    }

    async fn until_next_due(&self, after: Timestamp) -> Duration {
        let store = &self.worker.store;
        match store.database.next_due(&self.kinds, after).await {
            Ok(Some(due)) => {
                due.since(store.environment.now()).clamp(Duration::from_millis(1), self.safety_net())
            }
            Ok(None) => self.safety_net(),
            Err(_) => TROUBLE_WAIT,
        }
    }

    async fn extend(&self) {
        let leases: Vec<Lease> = locked(&self.under_way).values().map(|job| job.lease.clone()).collect();
        if leases.is_empty() {
            return;
        }
        let store = &self.worker.store;
        let until = lease_end(store.environment.now(), &self.worker.limits);
        match store.database.extend(&leases, until).await {
            Ok(lost) => {
                let under_way = locked(&self.under_way);
                let lost = lost
                    .iter()
                    .filter_map(|lease| under_way.get(&lease.job).filter(|job| job.lease == *lease));
                lost.for_each(|job| job.lost.notify_one());
            }
            Err(error) => {
                tracing::warn!(component = "worker", action = "extend", %error, "leases could not be extended");
            }
        }
    }

    fn spawn(&self, dispatched: Dispatched) {
        let worker = self.worker.clone();
        let (wants_room, under_way) = (self.wants_room.clone(), self.under_way.clone());
        let Some(handler) = worker.handlers.get(&dispatched.job.kind).cloned() else { return };
        tokio::spawn(async move {
            let Dispatched { job, permit } = dispatched;
            let span = tracing::info_span!(
                "job",
                otel.name = %format_args!("job {}", job.kind),
                otel.kind = "consumer",
                heddle.job.attempts = job.attempts,
                heddle.job.outcome = tracing::field::Empty,
                trace_id = tracing::field::Empty,
                component = "worker",
                action = %job.kind,
                owner = %job.owner,
                tenant_id = tracing::field::Empty,
                participant_context_id = tracing::field::Empty,
            );
            match &job.owner {
                Owner::Installation => {}
                Owner::Tenant(id) => drop(span.record("tenant_id", id.as_str())),
                Owner::Participant(id) => drop(span.record("participant_context_id", id.as_str())),
            }
            let context = spans::step(&span, job.trace, &worker.store.environment);
            let lease = job.lease.clone();
            let lost = Arc::new(Notify::new());
            let entry = UnderWay { lease: lease.clone(), lost: lost.clone() };
            locked(&under_way).insert(lease.job.clone(), entry);
            let attended = async {
                tokio::select! {
                    () = attend(&worker, handler.as_ref(), job) => {}
                    // It could store nothing more; whoever has the lease now must not meet it outside either.
                    () = lost.notified() => {
                        tracing::warn!(action = "stop", job = %lease.job, "the job is no more this worker's");
                    }
                }
            };
            trace::within(context, attended).instrument(span).await;
            // It may have been rescheduled and claimed again already, under a newer lease.
            let mut under_way = locked(&under_way);
            if under_way.get(&lease.job).is_some_and(|job| job.lease == lease) {
                under_way.remove(&lease.job);
            }
            drop(under_way);
            drop(permit);
            if wants_room.swap(false, Ordering::SeqCst) {
                worker.store.signals().notify_jobs();
            }
        });
    }
}

fn locked(jobs: &Mutex<BTreeMap<JobId, UnderWay>>) -> MutexGuard<'_, BTreeMap<JobId, UnderWay>> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls the handler and writes down what became of the job.
async fn attend(worker: &Worker, handler: &dyn JobHandler, job: ClaimedJob) {
    let scope = worker.scopes.job(job.owner.clone(), &job.lease.job);
    let attempt = numbers::Attempt::begin(&job, &worker.store.environment);
    let context = JobContext { scope, job };
    let run = std::panic::AssertUnwindSafe(handler.run(&context)).catch_unwind().await;
    let outcome = run.map_or_else(|_| panicked(), outcome_of);
    attempt.end(&outcome, context.job.attempts + 1 >= worker.limits.attempts_max);
    if let Err(error) = settle(worker, &context, outcome).await {
        tracing::warn!(action = "settle", %error, "the job's outcome was not stored; its lease will run out");
    }
}

fn panicked() -> Outcome {
    Outcome::Retry { error: "the handler panicked; this is a defect".to_owned(), after: None }
}

fn outcome_of(run: Result<Outcome, StoreError>) -> Outcome {
    match run {
        Ok(outcome) => outcome,
        Err(StoreError::LeaseLost { .. }) => Outcome::Completed,
        // Somebody else was faster; the next attempt decides on what that one wrote.
        Err(error @ StoreError::Stale { .. }) => {
            Outcome::Retry { error: error.to_string(), after: Some(Duration::from_millis(5)) }
        }
        // A database or a vault that is away needs time: attempts in quick succession would bury the job.
        Err(error) => Outcome::Retry { error: error.to_string(), after: None },
    }
}

async fn settle(worker: &Worker, context: &JobContext, outcome: Outcome) -> Result<(), StoreError> {
    let JobContext { scope, job } = context;
    let (environment, lease) = (&worker.store.environment, job.lease.clone());
    let now = environment.now();
    let attempts = job.attempts + 1;
    let mut dead = None;
    let write = match outcome {
        Outcome::Completed => return Ok(()),
        Outcome::Done => Write::Complete(lease),
        Outcome::Retry { error, .. } if attempts >= worker.limits.attempts_max => {
            dead = Some((
                error.clone(),
                "the job failed too often and is set aside; once its cause is mended, replay it",
            ));
            Write::Bury { lease, error }
        }
        Outcome::Retry { error, after } => {
            let wait = after.unwrap_or_else(|| Backoff::default().wait(job.attempts, environment));
            tracing::info!(action = "retry", job = %job.lease.job, attempts = job.attempts, %error, "job failed");
            Write::Reschedule { lease, due_at: now + wait, error }
        }
        Outcome::Bury { error } => {
            dead = Some((
                error.clone(),
                "the job cannot succeed and is set aside; replay it, if that has changed, or discard it",
            ));
            Write::Bury { lease, error }
        }
    };
    let batch = Batch::new(vec![write], now, job.trace);
    crate::telling::commit(&*worker.store.database, scope_access(scope), batch).await?;
    if let Some((error, what)) = dead {
        tracing::error!(action = "bury", job = %job.lease.job, attempts, %error, "{what}");
        metrics::counter!("heddle_jobs_buried_total", "kind" => job.kind.clone()).increment(1);
    }
    Ok(())
}

fn scope_access(scope: &heddle_tenancy::JobScope) -> heddle_tenancy::Access {
    use heddle_tenancy::{JobScope, Scope};
    match scope {
        JobScope::Operator(scope) => scope.access(),
        JobScope::Participant(scope) => scope.access(),
        JobScope::Tenant(scope) => scope.access(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_away_is_given_time_and_a_race_is_not() {
        let wait = |error| match outcome_of(Err(error)) {
            Outcome::Retry { after, .. } => after,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(StoreError::Unavailable { reason: "restarting".to_owned() }), None);
        let stale = StoreError::Stale { kind: "thing".to_owned(), id: "a".to_owned() };
        assert_eq!(wait(stale), Some(Duration::from_millis(5)));
    }
}
