//! The job of the Tenant Manager: how provisioning ended (`provision.response`).

use std::sync::Arc;

use async_trait::async_trait;
use heddle_provision_manager::OrchestrationResponse;
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::JobScope;

use crate::{
    TenantManager, events,
    model::{DeploymentState, ParticipantProfile},
    profiles::note,
    response::settle,
};

/// Runs `provision.response`.
pub(crate) struct ResponseHandler(pub(crate) Arc<TenantManager>);

#[async_trait]
impl JobHandler for ResponseHandler {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let response: OrchestrationResponse = context.job.payload()?;
        let JobScope::Tenant(scope) = &context.scope else {
            // Ordered at the Provision Manager itself: nobody here waits for it.
            return Ok(Outcome::Done);
        };
        let mut transaction = self.0.store.begin(scope);
        let loaded = transaction.load::<ParticipantProfile>(&response.correlation_id).await?;
        let Some(loaded) = loaded else { return Ok(Outcome::Done) };
        let Some(next) = settle(loaded.value(), &response, transaction.now()) else {
            return Ok(Outcome::Done);
        };
        transaction.save(&loaded, &next);
        if next.state() == DeploymentState::Disposed {
            transaction.withdraw(ParticipantProfile::DIRECTORY, next.identifier.as_str());
        }
        transaction.emit(events::moved(&next));
        transaction.complete(&context.job);
        transaction.commit().await?;
        note(&next);
        Ok(Outcome::Completed)
    }
}
