//! What is counted of attempts at jobs.

use std::time::Instant;

use heddle_clock::Environment;

use super::Outcome;
use crate::ClaimedJob;

/// An attempt under way. One that is dropped without an end was given up: its lease was lost.
pub(super) struct Attempt {
    kind: String,
    begun: Instant,
    ended: bool,
}

impl Attempt {
    pub(super) fn begin(job: &ClaimedJob, environment: &Environment) -> Self {
        if job.attempts == 0 {
            let waited = environment.now().since(job.created_at).as_secs_f64();
            metrics::histogram!("heddle_job_wait_seconds", "kind" => job.kind.clone()).record(waited);
        }
        Self { kind: job.kind.clone(), begun: Instant::now(), ended: false }
    }

    pub(super) fn end(mut self, outcome: &Outcome, last: bool) {
        self.count(match outcome {
            Outcome::Completed | Outcome::Done => "done",
            Outcome::Bury { .. } => "dead",
            Outcome::Retry { .. } if last => "dead",
            Outcome::Retry { .. } => "retry",
        });
    }

    fn count(&mut self, outcome: &'static str) {
        self.ended = true;
        tracing::Span::current().record("heddle.job.outcome", outcome);
        let kind = std::mem::take(&mut self.kind);
        metrics::histogram!("heddle_job_seconds", "kind" => kind.clone())
            .record(self.begun.elapsed().as_secs_f64());
        metrics::counter!("heddle_job_attempts_total", "kind" => kind, "outcome" => outcome).increment(1);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.ended {
            self.count("given-up");
        }
    }
}
