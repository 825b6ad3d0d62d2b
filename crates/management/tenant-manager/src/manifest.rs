//! What the Provision Manager is told to do for a profile: the manifest of an orchestration. Pure.

use heddle_did::Did;
use heddle_ids::{CellId, TenantId, VpaId};
use heddle_provision_manager::{MANIFEST, OrchestrationManifest};
use heddle_store::NewJob;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{CredentialSpec, ParticipantProfile, Properties, VPA_STATE, Vpa};

/// The orchestration by which a profile comes to be.
pub(crate) const DEPLOY: &str = "cfm.orchestration.vpa.deploy";
/// The orchestration by which it ends.
pub(crate) const DISPOSE: &str = "cfm.orchestration.vpa.dispose";

/// The payload: the first values of the orchestration, under the names by which activities know them.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "cfm.participant.id")]
    identifier: &'a Did,
    #[serde(rename = "cfm.tenant.id")]
    tenant: &'a TenantId,
    #[serde(rename = "cfm.vpa.data")]
    vpas: Vec<VpaManifest<'a>>,
    #[serde(rename = "cfm.vpa.credentials")]
    credentials: &'a [CredentialSpec],
    #[serde(rename = "cfm.dataspace.profiles")]
    runtime_profiles: &'a [String],
    /// Ours. They come from the operator's dataspace profiles alone: agents go there with their own token.
    #[serde(rename = "cfm.issuer.contexts", skip_serializing_if = "<[String]>::is_empty")]
    issuer_contexts: &'a [String],
}

/// An element of `cfm.vpa.data`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VpaManifest<'a> {
    id: &'a VpaId,
    vpa_type: &'a str,
    cell_id: &'a CellId,
    external_cell_id: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    properties: &'a Properties,
}

impl<'a> From<&'a Vpa> for VpaManifest<'a> {
    fn from(vpa: &'a Vpa) -> Self {
        Self {
            id: &vpa.id,
            vpa_type: &vpa.vpa_type,
            cell_id: &vpa.cell_id,
            external_cell_id: &vpa.external_cell_id,
            properties: &vpa.properties,
        }
    }
}

/// The manifest of the orchestration of this type that the profile has ordered.
///
/// What deployment learned (`cfm.vpa.state`) goes with it, as it is and member by member: that is how a disposal knows
/// what there is to undo.
fn manifest(profile: &ParticipantProfile, orchestration_type: &str) -> OrchestrationManifest {
    let learned = profile.properties.get(VPA_STATE);
    let mut payload = learned.and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(learned) = learned {
        payload.insert(VPA_STATE.to_owned(), learned.clone());
    }
    let own = Payload {
        identifier: &profile.identifier,
        tenant: &profile.tenant_id,
        vpas: profile.vpas.iter().map(VpaManifest::from).collect(),
        credentials: &profile.credentials,
        runtime_profiles: &profile.runtime_profiles,
        issuer_contexts: profile.issuer_contexts(),
    };
    // Last: nothing that was learned replaces what the profile says.
    if let Ok(Value::Object(own)) = serde_json::to_value(own) {
        payload.extend(own);
    }
    OrchestrationManifest {
        id: profile.orchestration.to_string(),
        correlation_id: profile.id.to_string(),
        orchestration_type: orchestration_type.to_owned(),
        template_ref: None,
        payload,
    }
}

/// The job that orders it.
pub(crate) fn order(profile: &ParticipantProfile, orchestration_type: &str) -> NewJob {
    let order_key = format!("orchestration/{}", profile.orchestration);
    NewJob::new(MANIFEST, order_key, &manifest(profile, orchestration_type))
}
