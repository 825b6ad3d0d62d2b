//! How to write an activity agent.
//!
//! An agent does one kind of activity of an orchestration: it calls somebody's Administration API for a participant
//! that comes on board or leaves. The Provision Manager decides when; an agent only does.
//!
//! # How to add one
//!
//! 1. Implement [`ActivityAgent`]: its type, what it does on deploy, and what undoes it on dispose.
//! 2. Every activity may run twice. Create with ids that follow from the orchestration
//!    ([`ActivityContext::key`]), take "exists already" for success, and "is gone already" on dispose.
//! 3. Answer with a [`ActivityResult`]: `Retry` for what may pass (networks, 5xx), `Fatal` for what will not. For calls
//!    through an [`AdminClient`], [`ActivityResult::of_failure`] decides that.
//! 4. Register it: `agent_jobs(worker, vec![Arc::new(MyAgent::new(…))])`, and post an activity definition of its type.
//!
//! Deliberately absent: the order of activities, attempts and compensation (the Provision Manager has them).

mod client;
mod context;
mod job;

pub use client::{AdminClient, AdminCredentials, CallError};
pub use context::{ActivityContext, ActivityResult, MissingValue};
pub use job::{ADVANCE, ActivityJob, Advance, Report, ReportedOutcome, activity_kind, agent_jobs};

use async_trait::async_trait;

/// Orchestration type of bringing a participant on board.
pub const DEPLOY: &str = "cfm.orchestration.vpa.deploy";
/// Orchestration type of taking a participant off board.
pub const DISPOSE: &str = "cfm.orchestration.vpa.dispose";

/// Does one kind of activity.
#[async_trait]
pub trait ActivityAgent: Send + Sync {
    /// The type of the activities that it does.
    fn activity_type(&self) -> &str;

    /// Does it for a participant that comes on board.
    async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult;

    /// Undoes it for a participant that leaves, or whose coming on board failed.
    async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult;
}
