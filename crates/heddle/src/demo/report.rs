//! What the story tells, step by step, and in the end.

use std::{
    fmt,
    io::{self, Write},
    time::Duration,
};

use heddle_telemetry::trace;
use serde::Serialize;

use super::client::ClientError;

/// One step of the story.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// What was done.
    pub name: String,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// The protocol messages that it took, where the server can tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
}

/// A story that came to its end.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Always true; a story that fails ends as a [`Failure`].
    pub ok: bool,
    /// SHA-256 of the bytes, the same on both sides, in hex.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
    /// The trace of the sharing, to be found in both servers' logs.
    pub trace_id: String,
    /// From the first step to the verified bytes, in milliseconds.
    pub elapsed_ms: u64,
    /// The steps in their order.
    pub steps: Vec<Step>,
}

/// A story that failed: where, and why.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {reason}")]
pub struct Failure {
    /// The step that failed.
    pub step: String,
    /// Why.
    pub reason: String,
}

impl Failure {
    /// The failure of `step`.
    pub fn of(step: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { step: step.into(), reason: reason.to_string() }
    }
}

/// Collects steps and, for a person, prints each as it ends.
pub struct Teller {
    tell: bool,
    steps: Vec<Step>,
    begun: tokio::time::Instant,
}

impl Teller {
    /// With `tell`, each step is printed on standard output when it ends.
    pub fn new(tell: bool) -> Self {
        Self { tell, steps: Vec::new(), begun: tokio::time::Instant::now() }
    }

    /// Does one step. `work` gives its result and the protocol messages that it took.
    pub async fn step<T>(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<(T, Vec<String>), ClientError>>,
    ) -> Result<T, Failure> {
        let begun = tokio::time::Instant::now();
        let (result, messages) = work.await.map_err(|error| Failure::of(name, error))?;
        let step = Step { name: name.to_owned(), ms: milliseconds(begun.elapsed()), messages };
        if self.tell {
            print(&step);
        }
        self.steps.push(step);
        Ok(result)
    }

    /// The end of the story.
    pub fn end(self, sha256: String, bytes: u64) -> Report {
        let elapsed_ms = milliseconds(self.begun.elapsed());
        let trace_id = trace::current().map(|context| context.trace_id()).unwrap_or_default();
        if self.tell {
            tell(&format!("\nThe logs of both servers tell of it under the trace {trace_id}."));
            tell(&format!("The same {bytes} bytes on both sides, SHA-256 {sha256}, after {elapsed_ms} ms."));
        }
        Report { ok: true, sha256, bytes, trace_id, elapsed_ms, steps: self.steps }
    }
}

fn print(step: &Step) {
    tell(&format!("{:>7} ms  {}", step.ms, step.name));
    for message in &step.messages {
        tell(&format!("            {message}"));
    }
}

/// The story goes on even when nobody reads any more (`heddle demo | head -1`).
fn tell(line: &str) {
    drop(writeln!(io::stdout().lock(), "{line}"));
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
