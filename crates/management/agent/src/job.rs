//! Runs agents as jobs, and tells the Provision Manager what came of it.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::FutureExt;
use heddle_ids::OrchestrationId;
use heddle_store::{JobContext, JobHandler, NewJob, Outcome, Store, StoreError, Worker};
use heddle_tenancy::{JobScope, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ActivityAgent, ActivityContext, ActivityResult, DISPOSE};

/// The kind of the jobs by which agents report to the Provision Manager.
pub const ADVANCE: &str = "orchestration.advance";

/// The value by which all activities of an orchestration mean the same participant context; an output of every
/// deployment.
pub const PARTICIPANT_CONTEXT: &str = "participantContextId";

/// Longest time that one run may take; after it the activity is tried again. An agent that waits for something longer
/// answers [`ActivityResult::Schedule`].
pub const RUN_TIME_MAX: Duration = Duration::from_secs(120);

/// The kind of the jobs of one activity type.
#[must_use]
pub fn activity_kind(activity_type: &str) -> String {
    format!("activity.{activity_type}")
}

/// Payload of an activity job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActivityJob {
    /// The orchestration.
    pub orchestration: OrchestrationId,
    /// Its type: [`crate::DEPLOY`] or [`crate::DISPOSE`].
    pub orchestration_type: String,
    /// The activity within it.
    pub activity: String,
    /// Which run this is, from 1.
    pub attempt: u32,
    /// The values of the orchestration at this time.
    pub values: Map<String, Value>,
}

/// What an agent reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The activity.
    pub activity: String,
    /// The run that this is the report of.
    pub attempt: u32,
    /// What it came to.
    pub outcome: ReportedOutcome,
    /// Values that it has set.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// Outputs that it has set.
    #[serde(default)]
    pub outputs: Map<String, Value>,
}

/// An [`ActivityResult`] as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ReportedOutcome {
    /// It waits for somebody else.
    Wait,
    /// It is done.
    Complete,
    /// It goes on after a while.
    Schedule {
        /// How long.
        after_ms: u64,
    },
    /// It failed and may succeed later.
    Retry {
        /// What went wrong.
        error: String,
        /// How long to wait.
        after_ms: Option<u64>,
    },
    /// It can never succeed.
    Fatal {
        /// What went wrong.
        error: String,
    },
}

impl From<ActivityResult> for ReportedOutcome {
    fn from(result: ActivityResult) -> Self {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        match result {
            ActivityResult::Wait => Self::Wait,
            ActivityResult::Complete => Self::Complete,
            ActivityResult::Schedule(after) => Self::Schedule { after_ms: ms(after) },
            ActivityResult::Retry { error, after } => Self::Retry { error, after_ms: after.map(ms) },
            ActivityResult::Fatal(error) => Self::Fatal { error },
        }
    }
}

/// Payload of the jobs of kind [`ADVANCE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Advance {
    /// The orchestration.
    pub orchestration: OrchestrationId,
    /// What an agent reports about it.
    pub report: Report,
}

/// Registers agents on a worker, each for the jobs of its activity type.
#[must_use]
pub fn agent_jobs(store: &Store, worker: Worker, agents: Vec<Arc<dyn ActivityAgent>>) -> Worker {
    agents.into_iter().fold(worker, |worker, agent| {
        let kind = activity_kind(agent.activity_type());
        worker.handle(&kind, Arc::new(AgentHandler { store: store.clone(), agent }))
    })
}

struct AgentHandler {
    store: Store,
    agent: Arc<dyn ActivityAgent>,
}

impl AgentHandler {
    /// Runs the agent. Whatever it does there is a result, so that no orchestration waits for one that never comes.
    async fn attempt(&self, orchestration_type: &str, activity: &mut ActivityContext) -> ActivityResult {
        let run = async {
            if orchestration_type == DISPOSE {
                self.agent.dispose(activity).await
            } else {
                self.agent.deploy(activity).await
            }
        };
        match tokio::time::timeout(RUN_TIME_MAX, AssertUnwindSafe(run).catch_unwind()).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => ActivityResult::Fatal("the agent panicked; this is a defect of it".to_owned()),
            Err(_) => {
                let error = format!("the agent did not come to an end within {} s", RUN_TIME_MAX.as_secs());
                ActivityResult::Retry { error, after: None }
            }
        }
    }
}

#[async_trait]
impl JobHandler for AgentHandler {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let job: ActivityJob = context.job.payload()?;
        let mut activity = ActivityContext::new(
            job.orchestration.clone(),
            job.activity.clone(),
            job.attempt,
            job.values.clone(),
        );
        let result = self.attempt(&job.orchestration_type, &mut activity).await;
        tracing::info!(
            component = "agents",
            action = self.agent.activity_type(),
            participant_context_id = job.values.get(PARTICIPANT_CONTEXT).and_then(|id| id.as_str()),
            orchestration_id = %job.orchestration,
            activity = job.activity,
            attempt = job.attempt,
            result = ?result,
            "an activity ran"
        );
        let (values, outputs) = activity.into_changes();
        let report =
            Report { activity: job.activity, attempt: job.attempt, outcome: result.into(), values, outputs };
        let order_key = format!("orchestration/{}", job.orchestration);
        let advance = Advance { orchestration: job.orchestration, report };
        let scope: &dyn Scope = match &context.scope {
            JobScope::Operator(scope) => scope,
            JobScope::Participant(scope) => scope,
            JobScope::Tenant(scope) => scope,
        };
        let mut transaction = self.store.begin(scope);
        transaction.complete(&context.job);
        transaction.enqueue(NewJob::new(ADVANCE, order_key, &advance));
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}
