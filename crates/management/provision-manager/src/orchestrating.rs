//! Stores what the engine decides, together with the jobs that do it and the events that tell of it.

use std::time::Duration;

use heddle_agent::{ActivityJob, DISPOSE, PARTICIPANT_CONTEXT, activity_kind};
use heddle_clock::Timestamp;
use heddle_ids::OrchestrationId;
use heddle_store::{DirectoryRow, Loaded, NewEvent, NewJob, Query, StoreError, Transaction};
use heddle_tenancy::OperatorScope;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    OrchestrationManifest, OrchestrationResponse, ProvisionManager, RESPONSE,
    engine::{self, Effect, Orchestration, OrchestrationDefinition, OrchestrationState},
};

/// What the directory says of an orchestration: enough to find its owner, and to know that a template is used.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublishedOrchestration {
    /// The template of its definition.
    #[serde(default)]
    pub(crate) template_ref: String,
}

/// Payload of `orchestration.*` events.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrchestrationEvent<'a> {
    orchestration_id: &'a str,
    correlation_id: &'a str,
    orchestration_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<&'a str>,
}

/// The participant context that an orchestration is about, unless its manifest says otherwise: 32 hex digits.
fn context_of(id: &str) -> String {
    let hash = digest(&SHA256, format!("participant context of {id}").as_bytes());
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl ProvisionManager {
    /// The definition that a manifest means: of the template that it names, else the newest of its type.
    pub(crate) async fn definition_for(
        &self,
        operator: &OperatorScope,
        manifest: &OrchestrationManifest,
    ) -> Result<Option<OrchestrationDefinition>, StoreError> {
        self.definition(operator, &manifest.orchestration_type, manifest.template_ref.as_deref()).await
    }

    /// The newest definition of a type; of a template, if one is named.
    async fn definition(
        &self,
        operator: &OperatorScope,
        orchestration_type: &str,
        template: Option<&str>,
    ) -> Result<Option<OrchestrationDefinition>, StoreError> {
        let query = Query { correlation: template.map(str::to_owned), ..Query::default() };
        let all = self.store.begin(operator).list::<OrchestrationDefinition>(&query).await?;
        let of_type = all.into_iter().map(Loaded::into_value);
        let of_type = of_type.filter(|definition| definition.orchestration_type == orchestration_type);
        Ok(of_type.max_by_key(|definition| definition.created_at))
    }

    /// Makes an orchestration and starts it, with everything in one transaction. The same manifest again changes nothing;
    /// the orchestration that there is then comes back.
    pub(crate) async fn start(
        &self,
        transaction: &mut Transaction<'_>,
        definition: &OrchestrationDefinition,
        manifest: &OrchestrationManifest,
        id: OrchestrationId,
    ) -> Result<Orchestration, StoreError> {
        if let Some(known) = transaction.load::<Orchestration>(id.as_str()).await? {
            return Ok(known.into_value());
        }
        let now = transaction.now();
        let context = context_of(id.as_str());
        let made = engine::instantiate(definition, manifest, (id, &context), now);
        let (orchestration, effects) = engine::begin(made, now);
        self.keep_new(transaction, &orchestration, effects);
        Ok(orchestration)
    }

    pub(crate) fn keep_new(
        &self,
        transaction: &mut Transaction<'_>,
        orchestration: &Orchestration,
        effects: Vec<Effect>,
    ) {
        transaction.insert(orchestration);
        let published = PublishedOrchestration { template_ref: orchestration.template_ref.clone() };
        transaction.publish(DirectoryRow::new(
            Orchestration::DIRECTORY,
            orchestration.id.as_str(),
            &published,
        ));
        tell(transaction, orchestration, "started");
        metrics::counter!("heddle_orchestrations_started_total").increment(1);
        self.carry_out(transaction, orchestration, effects);
    }

    pub(crate) fn carry_out(
        &self,
        transaction: &mut Transaction<'_>,
        orchestration: &Orchestration,
        effects: Vec<Effect>,
    ) {
        for effect in effects {
            match effect {
                Effect::Run { activity, activity_type, attempt, after } => {
                    let order_key = format!("orchestration/{}/{activity}", orchestration.id);
                    let job = ActivityJob {
                        orchestration: orchestration.id.clone(),
                        orchestration_type: orchestration.orchestration_type.clone(),
                        activity,
                        attempt,
                        values: orchestration.processing_data.clone(),
                    };
                    let mut job = NewJob::new(&activity_kind(&activity_type), order_key, &job);
                    if after > Duration::ZERO {
                        job = job.due_at(transaction.now() + after);
                    }
                    transaction.enqueue(job);
                }
                Effect::Ended => self.respond(transaction, orchestration),
            }
        }
    }

    fn respond(&self, transaction: &mut Transaction<'_>, orchestration: &Orchestration) {
        let success = orchestration.state == OrchestrationState::Completed;
        tell(transaction, orchestration, if success { "completed" } else { "errored" });
        let result = if success { "success" } else { "fatal" };
        metrics::counter!("heddle_orchestrations_completed_total", "result" => result).increment(1);
        let response = OrchestrationResponse {
            id: self.environment.uuid(),
            manifest_id: orchestration.id.to_string(),
            correlation_id: orchestration.correlation_id.clone(),
            orchestration_type: orchestration.orchestration_type.clone(),
            success,
            error_detail: orchestration.error.clone(),
            properties: orchestration.output_data.clone(),
        };
        transaction.enqueue(NewJob::new(RESPONSE, response.order_key(), &response));
    }

    /// The compensation of a failed orchestration, if its template can undo. Its id follows from the failed one's, so
    /// that there is one compensation however often this is asked.
    pub(crate) async fn compensation(
        &self,
        failed: &Orchestration,
        now: Timestamp,
    ) -> Result<Option<Orchestration>, StoreError> {
        if failed.state != OrchestrationState::Errored || failed.orchestration_type == DISPOSE {
            return Ok(None);
        }
        let dispose = self.definition(&self.operator(), DISPOSE, Some(&failed.template_ref)).await?;
        let id = OrchestrationId::parse(format!("{}-compensation", failed.id));
        let Some((dispose, id)) = dispose.zip(id.ok()) else {
            tracing::warn!(
                component = "provision-manager",
                action = "compensate",
                orchestration = %failed.id,
                template_ref = failed.template_ref,
                "its template cannot undo anything; what had completed stays"
            );
            return Ok(None);
        };
        if self.store.lookup(Orchestration::DIRECTORY, id.as_str()).await?.is_some() {
            return Ok(None);
        }
        Ok(engine::compensation(failed, &dispose, id, now))
    }
}

fn tell(transaction: &mut Transaction<'_>, orchestration: &Orchestration, what: &str) {
    let payload = OrchestrationEvent {
        orchestration_id: orchestration.id.as_str(),
        correlation_id: &orchestration.correlation_id,
        orchestration_type: &orchestration.orchestration_type,
        error_detail: orchestration.error.as_deref(),
    };
    let kind = format!("orchestration.{what}");
    transaction.emit(NewEvent::new(kind.clone(), orchestration.id.as_str(), &payload));
    let context = orchestration.processing_data.get(PARTICIPANT_CONTEXT).and_then(Value::as_str);
    let (id, correlation, context, reason) = (
        orchestration.id.to_string(),
        orchestration.correlation_id.clone(),
        context.map(str::to_owned),
        orchestration.error.clone(),
    );
    transaction.when_committed(move || {
        tracing::info!(
            component = "provision-manager",
            action = kind,
            participant_context_id = context,
            orchestration_id = id,
            correlation_id = correlation,
            reason,
            "an orchestration moved"
        );
    });
}
