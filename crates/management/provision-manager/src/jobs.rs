//! The jobs of the Provision Manager: orders, and reports of agents.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_agent::Advance;
use heddle_ids::OrchestrationId;
use heddle_store::{ClaimedJob, JobContext, JobHandler, NewJob, Outcome, StoreError};
use heddle_tenancy::{JobScope, Scope};

use crate::{
    OrchestrationManifest, OrchestrationResponse, ProvisionManager,
    engine::{self, Effect, Orchestration},
};

/// The kind of the jobs by which an orchestration is ordered; the payload is an [`OrchestrationManifest`].
pub const MANIFEST: &str = "provision.manifest";
/// The kind of the jobs that tell how it ended; the payload is an [`OrchestrationResponse`].
pub const RESPONSE: &str = "provision.response";

/// Runs `provision.manifest`.
pub(crate) struct ManifestHandler(pub(crate) Arc<ProvisionManager>);

/// Runs `orchestration.advance`.
pub(crate) struct AdvanceHandler(pub(crate) Arc<ProvisionManager>);

fn scope_of(scope: &JobScope) -> &dyn Scope {
    match scope {
        JobScope::Operator(scope) => scope,
        JobScope::Participant(scope) => scope,
        JobScope::Tenant(scope) => scope,
    }
}

#[async_trait]
impl JobHandler for ManifestHandler {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let manager = &self.0;
        let manifest: OrchestrationManifest = context.job.payload()?;
        let scope = scope_of(&context.scope);
        let Ok(id) = OrchestrationId::parse(manifest.id.clone()) else {
            let reason = format!("'{}' cannot be the id of an orchestration", manifest.id);
            return manager.refuse(scope, &context.job, &manifest, reason).await;
        };
        let Some(definition) = manager.definition_for(&manager.operator(), &manifest).await? else {
            let kind = &manifest.orchestration_type;
            let reason =
                format!("orchestration type '{kind}' not found; post an orchestration definition for it");
            return manager.refuse(scope, &context.job, &manifest, reason).await;
        };
        let mut transaction = manager.store.begin(scope);
        manager.start(&mut transaction, &definition, &manifest, id).await?;
        transaction.complete(&context.job);
        match transaction.commit().await {
            Ok(()) => Ok(Outcome::Completed),
            Err(StoreError::Duplicate { kind, id }) if kind == "directory" => {
                let reason =
                    format!("the orchestration id '{id}' is taken by somebody else; order with a new id");
                manager.refuse(scope, &context.job, &manifest, reason).await
            }
            Err(error) => Err(error),
        }
    }
}

impl ProvisionManager {
    /// Ordered, but there is nothing to run: whoever ordered it is told, once.
    async fn refuse(
        &self,
        scope: &dyn Scope,
        job: &ClaimedJob,
        manifest: &OrchestrationManifest,
        reason: String,
    ) -> Result<Outcome, StoreError> {
        let response = OrchestrationResponse {
            id: self.environment.uuid(),
            manifest_id: manifest.id.clone(),
            correlation_id: manifest.correlation_id.clone(),
            orchestration_type: manifest.orchestration_type.clone(),
            success: false,
            error_detail: Some(reason),
            properties: serde_json::Map::new(),
        };
        let mut transaction = self.store.begin(scope);
        transaction.complete(job);
        transaction.enqueue(NewJob::new(RESPONSE, response.order_key(), &response));
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}

#[async_trait]
impl JobHandler for AdvanceHandler {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let manager = &self.0;
        let advance: Advance = context.job.payload()?;
        let scope = scope_of(&context.scope);
        let mut transaction = manager.store.begin(scope);
        let id = advance.orchestration.as_str();
        let Some(loaded) = transaction.load::<Orchestration>(id).await? else { return Ok(Outcome::Done) };
        let now = transaction.now();
        let (next, effects) = engine::apply(loaded.value().clone(), &advance.report, now);
        let ended = effects.contains(&Effect::Ended);
        manager.carry_out(&mut transaction, &next, effects);
        if ended && let Some(undo) = manager.compensation(&next, now).await? {
            let (undo, effects) = engine::begin(undo, now);
            manager.keep_new(&mut transaction, &undo, effects);
        }
        if next != *loaded.value() {
            transaction.save(&loaded, &next);
        }
        transaction.complete(&context.job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}
