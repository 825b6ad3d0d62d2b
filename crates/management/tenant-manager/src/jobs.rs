//! How provisioning ended: `provision.response`.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_store::{JobContext, JobHandler, NewEvent, Outcome, StoreError};
use heddle_tenancy::JobScope;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    TenantManager,
    deployment::DISPOSE,
    model::{DeploymentState, ParticipantProfile, VPA_STATE},
};

/// The kind of the jobs by which the Provision Manager is ordered.
pub(crate) const MANIFEST: &str = "provision.manifest";
/// The kind of the jobs by which it answers.
pub(crate) const RESPONSE: &str = "provision.response";

/// How an orchestration ended.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    manifest_id: String,
    correlation_id: String,
    orchestration_type: String,
    success: bool,
    #[serde(default)]
    error_detail: Option<String>,
    #[serde(default)]
    properties: Map<String, Value>,
}

/// The payload of the events `participant.profile.*`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileEvent<'a> {
    participant_profile_id: &'a str,
    tenant_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_context_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<&'a str>,
}

/// The event that tells where a profile is: `what` is `pending`, `active`, `error` or `disposed`.
pub(crate) fn event(profile: &ParticipantProfile, what: &str) -> NewEvent {
    let state = profile.properties.get(VPA_STATE);
    let payload = ProfileEvent {
        participant_profile_id: profile.id.as_str(),
        tenant_id: profile.tenant_id.as_str(),
        participant_context_id: state
            .and_then(|state| state.get("participantContextId"))
            .and_then(Value::as_str),
        error_detail: profile.error_detail.as_deref(),
    };
    NewEvent::new(format!("participant.profile.{what}"), profile.id.as_str(), &payload)
}

/// What a profile becomes by a response, and what is told of it. `None`: the response is about an earlier order.
fn apply(
    mut profile: ParticipantProfile,
    response: Response,
    now: Timestamp,
) -> Option<(ParticipantProfile, &'static str)> {
    // A compensation has the id of what it undoes, with a suffix.
    if !response.manifest_id.starts_with(&profile.orchestration) {
        return None;
    }
    let disposal = response.orchestration_type == DISPOSE;
    let what = match (response.success, disposal) {
        (true, true) => {
            profile.properties.remove(VPA_STATE);
            profile.enter(DeploymentState::Disposed, now);
            "disposed"
        }
        (true, false) => {
            profile.properties.insert(VPA_STATE.to_owned(), Value::Object(response.properties));
            profile.error = false;
            profile.error_detail = None;
            profile.enter(DeploymentState::Active, now);
            "active"
        }
        (false, _) => {
            profile.error = true;
            profile.error_detail = response.error_detail;
            profile.enter(DeploymentState::Error, now);
            "error"
        }
    };
    Some((profile, what))
}

/// Runs `provision.response`.
pub(crate) struct ResponseHandler(pub(crate) Arc<TenantManager>);

#[async_trait]
impl JobHandler for ResponseHandler {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let response: Response = context.job.payload()?;
        let JobScope::Tenant(scope) = &context.scope else {
            // Ordered at the Provision Manager itself: nobody here waits for it.
            return Ok(Outcome::Done);
        };
        let mut transaction = self.0.store.begin(scope);
        let loaded = transaction.load::<ParticipantProfile>(&response.correlation_id).await?;
        let Some(loaded) = loaded else { return Ok(Outcome::Done) };
        let Some((profile, what)) = apply(loaded.value().clone(), response, transaction.now()) else {
            return Ok(Outcome::Done);
        };
        transaction.save(&loaded, &profile);
        transaction.emit(event(&profile, what));
        transaction.complete(&context.job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}
