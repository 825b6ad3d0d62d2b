//! Participant profiles and their virtual participant agents.

use std::{borrow::Cow, collections::BTreeMap};

use heddle_clock::Timestamp;
use heddle_did::Did;
use heddle_ids::{CellId, DataspaceProfileId, OrchestrationId, ParticipantProfileId, TenantId, VpaId};
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};

use super::{CredentialSpec, DeploymentState, Properties};

/// Where provisioning keeps what it learned, among a profile's properties.
pub(crate) const VPA_STATE: &str = "cfm.vpa.state";

/// The types of the four virtual participant agents that each profile has.
pub(crate) const VPA_TYPES: [&str; 4] =
    ["cfm.connector", "cfm.credentialservice", "cfm.dataplane", "cfm.issuer"];

/// A virtual participant agent: the share of a runtime that works for one profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vpa {
    pub(crate) id: VpaId,
    #[serde(default)]
    pub(crate) version: u64,
    pub(crate) state: DeploymentState,
    pub(crate) state_since: Timestamp,
    #[serde(rename = "type")]
    pub(crate) vpa_type: String,
    pub(crate) cell_id: CellId,
    #[serde(default)]
    pub(crate) external_cell_id: String,
    #[serde(default)]
    pub(crate) properties: Properties,
}

/// One identity of a tenant, in one or more dataspaces. Owned by the tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParticipantProfile {
    pub(crate) id: ParticipantProfileId,
    pub(crate) identifier: Did,
    pub(crate) tenant_id: TenantId,
    #[serde(default)]
    pub(crate) participant_roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) dataspace_profile_ids: Vec<DataspaceProfileId>,
    /// What it asks issuers for.
    #[serde(default)]
    pub(crate) credentials: Vec<CredentialSpec>,
    /// The runtime's names of its dataspaces.
    #[serde(default)]
    pub(crate) runtime_profiles: Vec<String>,
    /// The participant contexts of the issuers that register it, as its dataspaces name them.
    #[serde(default)]
    pub(crate) issuer_contexts: Vec<String>,
    /// In profiles that know no others: the one of the first dataspace that names any. Read, never written.
    #[serde(default, skip_serializing)]
    pub(crate) issuer_context: Option<String>,
    /// One of each type; they change their state together.
    pub(crate) vpas: Vec<Vpa>,
    #[serde(default)]
    pub(crate) properties: Properties,
    /// Provisioning failed, even if what it had done could be undone.
    #[serde(default)]
    pub(crate) error: bool,
    #[serde(default)]
    pub(crate) error_detail: Option<String>,
    /// The orchestration that was ordered last.
    pub(crate) orchestration: OrchestrationId,
    /// The orchestration whose end was applied last.
    #[serde(default)]
    pub(crate) answered: Option<String>,
}

impl ParticipantProfile {
    /// Directory rows that make a DID unique over the installation: DID → nothing. Withdrawn when the profile is
    /// disposed of.
    pub(crate) const DIRECTORY: &'static str = "participant-profile-identifier";

    /// The participant contexts of the issuers that register it, whichever way they are written.
    pub(crate) fn issuer_contexts(&self) -> &[String] {
        match &self.issuer_context {
            Some(only) if self.issuer_contexts.is_empty() => std::slice::from_ref(only),
            _ => &self.issuer_contexts,
        }
    }

    /// Brings all its agents into a state.
    pub(crate) fn enter(&mut self, state: DeploymentState, now: Timestamp) {
        for vpa in &mut self.vpas {
            vpa.state = state;
            vpa.state_since = now;
            vpa.version += 1;
        }
    }

    /// The state of its agents.
    pub(crate) fn state(&self) -> DeploymentState {
        self.vpas.first().map_or(DeploymentState::Initial, |vpa| vpa.state)
    }
}

impl Aggregate for ParticipantProfile {
    const KIND: &'static str = "participant-profile";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        let taken = self.state() != DeploymentState::Disposed;
        Columns {
            state: Some(Cow::Borrowed(self.state().name())),
            // The directory keeps tenants apart, this keeps the profiles of one tenant apart.
            unique_key: taken.then(|| self.identifier.to_string()),
            ..Columns::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_profile_that_names_one_issuer_is_read_like_one_that_names_several() {
        let mut stored = json!({
            "id": "p", "identifier": "did:web:acme.example", "tenantId": "t", "vpas": [], "orchestration": "o",
            "issuerContext": "issuer",
        });
        let read = |stored: &serde_json::Value| -> Vec<String> {
            let profile: ParticipantProfile = serde_json::from_value(stored.clone()).expect("it can be read");
            profile.issuer_contexts().to_vec()
        };
        assert_eq!(read(&stored), ["issuer"]);
        // What a release does not know stays when it is rewritten: both may be there.
        stored["issuerContexts"] = json!(["a", "b"]);
        assert_eq!(read(&stored), ["a", "b"]);
        stored["issuerContext"] = json!(null);
        stored["issuerContexts"] = json!([]);
        assert!(read(&stored).is_empty());
    }
}
