//! A contract agreement, as one of its parties keeps it.

use heddle_clock::Timestamp;
use heddle_dsp::process::Role;
use heddle_ids::{AgreementId, AssetId, NegotiationId, ParticipantId, ProfileName, SharedAgreementId};
use heddle_odrl::Policy;
use heddle_store::{Aggregate, Columns, filter::Properties};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An agreement. Each party has an id of its own for it, and both share one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agreement {
    /// Our own id (Management API `@id`, `contractId`).
    pub id: AgreementId,
    /// The id that both share (DSP `agreement.@id`).
    pub shared_id: SharedAgreementId,
    /// The negotiation that led to it.
    pub negotiation: NegotiationId,
    /// The dataspace profile under which it was negotiated; it counts under no other.
    pub profile: ProfileName,
    /// The part that we play.
    pub role: Role,
    /// The other party.
    pub counter_party: ParticipantId,
    /// The asset.
    pub asset: AssetId,
    /// Who provides.
    pub provider: ParticipantId,
    /// Who consumes.
    pub consumer: ParticipantId,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// The terms, of kind `Agreement`.
    pub policy: Policy,
    /// What the other party had proved.
    pub claims: Value,
}

impl Agreement {
    /// The unique key: peers choose shared ids, so they are only unique per peer.
    #[must_use]
    pub fn key(counter_party: &ParticipantId, shared_id: &SharedAgreementId) -> String {
        format!("{}:{counter_party}:{shared_id}", counter_party.as_str().len())
    }

    /// The left operands that the terms speak of.
    #[must_use]
    pub fn left_operands(&self) -> Vec<String> {
        self.policy.left_operands().into_iter().map(str::to_owned).collect()
    }
}

impl Aggregate for Agreement {
    const KIND: &'static str = "agreement";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        Columns {
            counter_party: Some(self.counter_party.to_string()),
            correlation: Some(self.negotiation.to_string()),
            reference: Some(self.asset.to_string()),
            unique_key: Some(Self::key(&self.counter_party, &self.shared_id)),
            ..Columns::default()
        }
    }

    fn properties(&self) -> Option<Properties> {
        let properties = Properties::default()
            .with_text("id", self.id.as_str())
            .with_text("agreementId", self.shared_id.as_str())
            .with_text("assetId", self.asset.as_str())
            .with_text("providerId", self.provider.as_str())
            .with_text("consumerId", self.consumer.as_str())
            .with_number("contractSigningDate", self.signed_at.as_seconds())
            .with("policy", &serde_json::to_value(&self.policy).unwrap_or_default());
        Some(properties)
    }
}
