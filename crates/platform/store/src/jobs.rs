//! What is to be done next: jobs commit with the change that makes them necessary.

use std::time::Duration;

use heddle_clock::{Environment, Timestamp};
use heddle_ids::JobId;
use heddle_telemetry::TraceContext;
use heddle_tenancy::Owner;
use serde::{Serialize, de::DeserializeOwned};

use crate::StoreError;

/// A job to enqueue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Which handler runs it.
    pub kind: String,
    /// At most one job of an order key is leased at a time, in the order in which they were enqueued. Usually
    /// the aggregate: `negotiation/<id>`.
    pub order_key: String,
    /// The payload, as JSON text.
    pub payload: String,
    /// The remote authority that it will call, for fairness; `None` when it calls nobody.
    pub host: Option<String>,
    /// Not before this time; `None` is at once.
    pub due_at: Option<Timestamp>,
}

impl NewJob {
    /// A job of `kind`, due at once.
    ///
    /// # Panics
    /// When `payload` does not serialise to JSON, which is a defect of its type.
    pub fn new(kind: &str, order_key: impl Into<String>, payload: &impl Serialize) -> Self {
        let payload = serde_json::to_string(payload).expect("a job payload serialises");
        Self { kind: kind.to_owned(), order_key: order_key.into(), payload, host: None, due_at: None }
    }

    /// It will call this remote authority.
    #[must_use]
    pub fn calling(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Not before `time`.
    #[must_use]
    pub fn due_at(mut self, time: Timestamp) -> Self {
        self.due_at = Some(time);
        self
    }
}

/// The right to finish a job. A write under a lease that has run out and was taken by somebody else fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Different for every claim of the same job.
    pub token: String,
}

/// A job that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    /// The lease.
    pub lease: Lease,
    /// Whose job it is.
    pub owner: Owner,
    /// Which handler runs it.
    pub kind: String,
    /// Its order key.
    pub order_key: String,
    /// The payload, as JSON text.
    pub payload: String,
    /// Failed attempts before this one.
    pub attempts: u32,
    /// When it was first enqueued.
    pub created_at: Timestamp,
    /// The trace of the work that caused it.
    pub trace: Option<TraceContext>,
}

impl ClaimedJob {
    /// Reads the payload.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_str(&self.payload).map_err(|e| StoreError::Unreadable {
            kind: format!("job {}", self.kind),
            id: self.lease.job.to_string(),
            reason: e.to_string(),
        })
    }
}

/// Most jobs for one remote host that an owner that may have `per_owner_max` jobs leased may have among them: half. So a
/// host that lets every call wait takes no more than half of an owner's places, and its other jobs go on.
#[must_use]
pub const fn share_of_host(per_owner_max: u32) -> u32 {
    per_owner_max.div_ceil(2)
}

/// How long a failed job waits: exponential with full jitter above a floor, persisted with the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Longest wait before the second attempt.
    pub first: Duration,
    /// Longest wait before any attempt.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(300), longest: Duration::from_secs(60) }
    }
}

impl Backoff {
    /// The wait after `attempts` failed attempts (the first failure has `attempts` = 0).
    #[must_use]
    pub fn wait(&self, attempts: u32, environment: &Environment) -> Duration {
        let ceiling = self.first.saturating_mul(1 << attempts.min(20)).min(self.longest);
        let ceiling_ms = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX).max(2);
        let random = u64::from_le_bytes(environment.random());
        Duration::from_millis(ceiling_ms / 2 + random % (ceiling_ms / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_begin_within_300_ms() {
        let environment = Environment::system();
        let backoff = Backoff::default();
        for attempts in [0, 1, 5, 40] {
            let wait = backoff.wait(attempts, &environment);
            assert!(wait <= backoff.longest && wait >= Duration::from_millis(150), "{attempts}: {wait:?}");
        }
        assert!(backoff.wait(0, &environment) < Duration::from_millis(300));
        assert!(backoff.wait(40, &environment) >= backoff.longest / 2);
    }
}
