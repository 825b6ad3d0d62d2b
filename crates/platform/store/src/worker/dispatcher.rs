//! The short way: a job claimed in the commit that enqueues it goes straight to this process's worker.

use std::{collections::BTreeSet, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use heddle_clock::{Environment, Timestamp};
use heddle_ids::WorkerId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{Dispatched, Worker, WorkerLimits, lease_end};
use crate::{ClaimedJob, DirectLease, Write};

/// What commits know of the worker in this process.
pub(crate) struct Dispatcher {
    id: WorkerId,
    kinds: BTreeSet<String>,
    limits: WorkerLimits,
    permits: Arc<Semaphore>,
    sender: mpsc::UnboundedSender<Dispatched>,
    environment: Environment,
}

impl Dispatcher {
    pub(super) fn new(
        id: WorkerId,
        worker: &Worker,
        permits: Arc<Semaphore>,
        sender: mpsc::UnboundedSender<Dispatched>,
    ) -> Self {
        let kinds = worker.handlers.keys().cloned().collect();
        let environment = worker.store.environment.clone();
        Self { id, kinds, limits: worker.limits, permits, sender, environment }
    }

    /// Asks that the batch claim its own jobs for this worker, as far as there is room.
    pub(crate) fn reserve(&self, writes: &mut [Write], now: Timestamp) -> Reservation {
        let mut permits = Vec::new();
        for write in writes {
            let Write::Enqueue { job, lease_for, .. } = write else { continue };
            if !self.kinds.contains(&job.kind) || job.due_at.is_some_and(|due| due > now) {
                continue;
            }
            let Ok(permit) = self.permits.clone().try_acquire_owned() else { break };
            permits.push(permit);
            let token = URL_SAFE_NO_PAD.encode(self.environment.random::<12>());
            *lease_for = Some(DirectLease {
                worker: self.id.clone(),
                token,
                until: lease_end(now, &self.limits),
                per_owner_max: self.limits.per_owner_max,
                per_host_max: self.limits.per_host_max,
            });
        }
        Reservation { permits, sender: Some(self.sender.clone()) }
    }
}

/// Places kept for the jobs of a commit that is under way; those not used are freed when it is dropped.
pub(crate) struct Reservation {
    permits: Vec<OwnedSemaphorePermit>,
    sender: Option<mpsc::UnboundedSender<Dispatched>>,
}

impl Reservation {
    /// No places.
    pub(crate) fn none() -> Self {
        Self { permits: Vec::new(), sender: None }
    }

    /// Hands over what the commit has claimed.
    pub(crate) fn dispatch(mut self, claimed: Vec<ClaimedJob>) {
        let Some(sender) = &self.sender else { return };
        for job in claimed {
            let Some(permit) = self.permits.pop() else { return };
            // A worker that has stopped: the lease runs out and another one claims the job.
            drop(sender.send(Dispatched { job, permit }));
        }
    }
}
