//! Takes addresses out of the vault when their flow is over, or has newer ones.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_ids::DataFlowId;
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::JobScope;
use heddle_vault::VaultError;
use serde::{Deserialize, Serialize};

use crate::{DataPlane, aliases};

/// The kind of the jobs that forget addresses.
pub(crate) const FORGET: &str = "flow.forget";

/// Payload of such a job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ForgetJob {
    pub(super) flow: DataFlowId,
    pub(super) handles: Vec<String>,
}

/// Runs `flow.forget`.
pub(crate) struct Forgetter(pub(crate) Arc<DataPlane>);

#[async_trait]
impl JobHandler for Forgetter {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "a flow belongs to a participant".to_owned() });
        };
        let job: ForgetJob = context.job.payload()?;
        for handle in &job.handles {
            match self.0.vault.delete_secret(scope, &aliases::flow_address(&job.flow, handle)).await {
                Ok(_) => {}
                Err(VaultError::Store(error)) => return Err(error),
                Err(error) => return Ok(Outcome::Retry { error: error.to_string(), after: None }),
            }
        }
        Ok(Outcome::Done)
    }
}
