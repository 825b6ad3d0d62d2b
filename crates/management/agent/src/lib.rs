//! How to write an activity agent.
//!
//! An agent does one kind of activity of an orchestration: it calls somebody's Administration API for a participant
//! that comes on board or leaves. The Provision Manager decides when; an agent only does.
//!
//! # How to add one
//!
//! 1. Implement [`ActivityAgent`]: its type, what it does on deploy, and what undoes it on dispose.
//! 2. Every activity may run twice, and after a run whose end nobody saw. Create with ids that follow from the
//!    orchestration ([`ActivityContext::idempotency_key`]), take "exists already" for success ([`AdminClient::ensure`]),
//!    and "is gone already" on dispose ([`AdminClient::remove`]).
//! 3. Answer with an [`ActivityResult`]: `Retry` for what may pass (networks, 5xx), `Fatal` for what will not. For calls
//!    through an [`AdminClient`] and for values that are missing, `?` decides that.
//! 4. Register it with [`agent_jobs`], and post an activity definition of its type to the Provision Manager. Jobs of a
//!    type that no process has an agent for wait until one has.
//!
//! ```
//! use async_trait::async_trait;
//! use heddle_agent::{ActivityAgent, ActivityContext, ActivityResult, AdminClient, Existing};
//! use heddle_outbound::Request;
//!
//! /// Opens an account for each participant with a billing service.
//! struct BillingAgent {
//!     client: AdminClient,
//! }
//!
//! #[derive(serde::Serialize)]
//! struct NewAccount {
//!     id: String,
//!     owner: String,
//! }
//!
//! impl BillingAgent {
//!     async fn open(&self, context: &mut ActivityContext) -> Result<(), ActivityResult> {
//!         let owner = context.text("cfm.participant.id")?;
//!         let id = context.idempotency_key("account");
//!         let account = format!("https://billing.example/accounts/{id}");
//!         let body = NewAccount { id: id.clone(), owner: owner.clone() };
//!         let create = Request::post("https://billing.example/accounts").json_of(&body).idempotency_key(id.as_str());
//!         self.client.ensure(create, Existing { url: &account, member: "owner", value: &owner }).await?;
//!         context.set_output("billingAccount", id);
//!         Ok(())
//!     }
//! }
//!
//! #[async_trait]
//! impl ActivityAgent for BillingAgent {
//!     fn activity_type(&self) -> &str {
//!         "billing-activity"
//!     }
//!
//!     async fn deploy(&self, context: &mut ActivityContext) -> ActivityResult {
//!         self.open(context).await.into()
//!     }
//!
//!     async fn dispose(&self, context: &mut ActivityContext) -> ActivityResult {
//!         let Ok(id) = context.text("billingAccount") else { return ActivityResult::Complete };
//!         let account = Request::new(http::Method::DELETE, format!("https://billing.example/accounts/{id}"));
//!         self.client.remove(account).await.map_err(ActivityResult::from).into()
//!     }
//! }
//! ```
//!
//! Deliberately absent: the order of activities, attempts and compensation (the Provision Manager has them).

mod client;
mod context;
mod job;

pub use client::{AdminClient, AdminCredentials, CallError, Ensured, Existing};
pub use context::{ActivityContext, ActivityResult, ValueError};
pub use job::{
    ADVANCE, ActivityJob, Advance, PARTICIPANT_CONTEXT, RUN_TIME_MAX, Report, ReportedOutcome, activity_kind,
    agent_jobs,
};

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
