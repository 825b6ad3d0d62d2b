//! What the Tenant Manager tells: events of tenants.

use heddle_store::NewEvent;
use serde::Serialize;

use crate::model::{DeploymentState, ParticipantProfile, Tenant, VPA_STATE};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TenantEvent<'a> {
    tenant_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileEvent<'a> {
    participant_profile_id: &'a str,
    tenant_id: &'a str,
    /// Only of an active profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    participant_context_id: Option<&'a str>,
    /// Only of a failed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_detail: Option<&'a str>,
}

/// `tenant.created`.
pub(crate) fn created(tenant: &Tenant) -> NewEvent {
    let id = tenant.id.as_str();
    NewEvent::new("tenant.created", id, &TenantEvent { tenant_id: id })
}

/// `participant.profile.<state>`: where a profile is now.
pub(crate) fn moved(profile: &ParticipantProfile) -> NewEvent {
    let state = profile.state();
    let payload = ProfileEvent {
        participant_profile_id: profile.id.as_str(),
        tenant_id: profile.tenant_id.as_str(),
        participant_context_id: (state == DeploymentState::Active).then(|| context_of(profile)).flatten(),
        error_detail: profile.error_detail.as_deref().filter(|_| state == DeploymentState::Error),
    };
    NewEvent::new(format!("participant.profile.{}", state.name()), profile.id.as_str(), &payload)
}

/// The participant context of a profile, once it is known.
pub(crate) fn context_of(profile: &ParticipantProfile) -> Option<&str> {
    profile.properties.get(VPA_STATE)?.get("participantContextId")?.as_str()
}
