//! What a profile becomes by the end of an orchestration. Pure.

use heddle_clock::Timestamp;
use heddle_provision_manager::OrchestrationResponse;
use serde_json::Value;

use crate::model::{DeploymentState, ParticipantProfile, VPA_STATE};

/// What the Provision Manager appends to the id of an orchestration that failed, to name the one that undoes it.
const COMPENSATION: &str = "-compensation";

/// Which orchestration of the profile has ended.
#[derive(PartialEq, Eq)]
enum Ended {
    /// The one that it ordered last.
    Ordered,
    /// The one that undoes what the failed one had done.
    Compensation,
}

/// The profile after the response, or `None` if that changes nothing: the response was applied already, or is about an
/// earlier order.
pub(crate) fn settle(
    profile: &ParticipantProfile,
    response: &OrchestrationResponse,
    now: Timestamp,
) -> Option<ParticipantProfile> {
    if profile.answered.as_deref() == Some(&response.manifest_id) {
        return None;
    }
    let ended = match response.manifest_id.strip_prefix(profile.orchestration.as_str())? {
        "" => Ended::Ordered,
        COMPENSATION => Ended::Compensation,
        _ => return None,
    };
    let mut next = profile.clone();
    next.answered = Some(response.manifest_id.clone());
    match (profile.state(), ended, response.success) {
        (DeploymentState::Pending, Ended::Ordered, success) => {
            next.properties.insert(VPA_STATE.to_owned(), Value::Object(response.properties.clone()));
            if success { next.enter(DeploymentState::Active, now) } else { fail(&mut next, response, now) }
        }
        (DeploymentState::Disposing, Ended::Ordered, true)
        | (DeploymentState::Error, Ended::Compensation, true) => {
            next.enter(DeploymentState::Disposed, now);
        }
        (DeploymentState::Disposing, Ended::Ordered, false)
        | (DeploymentState::Error, Ended::Compensation, false) => fail(&mut next, response, now),
        _ => return None,
    }
    Some(next)
}

/// Provisioning failed; an earlier failure stays readable.
fn fail(profile: &mut ParticipantProfile, response: &OrchestrationResponse, now: Timestamp) {
    let detail = response.error_detail.as_deref().unwrap_or("the orchestration failed and did not say why");
    profile.error = true;
    if !response.properties.is_empty() {
        // Whoever disposes of what is left must know where it is.
        let learned = Value::Object(response.properties.clone());
        profile.properties.entry(VPA_STATE).or_insert(learned);
    }
    profile.error_detail = Some(match profile.error_detail.take() {
        None => detail.to_owned(),
        Some(earlier) => format!("{earlier}; undoing what was done failed too: {detail}"),
    });
    profile.enter(DeploymentState::Error, now);
}

#[cfg(test)]
mod tests;
