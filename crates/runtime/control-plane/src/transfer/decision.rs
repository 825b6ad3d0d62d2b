//! Whether a provider takes a transfer request: is there such an agreement with this consumer, does it permit the
//! transfer to what the consumer has proved now, and can a data plane do it?

use heddle_dsp::{process::Role, transfer::Flow, wire};
use heddle_odrl::PolicyScope;
use heddle_store::{Loaded, StoreError, Transaction};

use super::inbound::flow_of;
use crate::{
    ControlPlane,
    identity::Proven,
    model::{Agreement, Asset, DataPlane, DataplaneMetadata},
    parts::Addressed,
    rules::{Agent, AgreementSubject, Subject, decide},
    trace::DecisionTrace,
};

/// What a transfer that is taken rests on.
pub(super) struct Grounds {
    pub(super) agreement: Loaded<Agreement>,
    pub(super) metadata: DataplaneMetadata,
    pub(super) flow: Flow,
    pub(super) data_plane: DataPlane,
}

/// Why a transfer is not taken.
pub(super) struct Refusal {
    /// What the consumer is told.
    pub(super) told: String,
    /// What the provider can read.
    pub(super) reason: String,
}

impl Refusal {
    fn alike(reason: String) -> Self {
        Self { told: reason.clone(), reason }
    }
}

impl ControlPlane {
    /// Decides about a request of a proven peer; evaluations go to `trace`.
    pub(super) async fn consider_transfer(
        &self,
        transaction: &mut Transaction<'_>,
        addressed: &Addressed,
        proven: &Proven,
        message: &wire::TransferRequestMessage,
        trace: &mut DecisionTrace,
    ) -> Result<Result<Grounds, Refusal>, StoreError> {
        let key = Agreement::key(proven.peer.id(), &message.agreement_id);
        let agreement = transaction.load_by_key::<Agreement>(&key).await?;
        // Under another dataspace profile the consumer has proved something else.
        let agreement = agreement.filter(|agreement| {
            agreement.role == Role::Provider && agreement.profile == addressed.profile.name
        });
        let Some(agreement) = agreement else {
            return Ok(Err(Refusal::alike("there is no such agreement".to_owned())));
        };
        let asset = transaction.load::<Asset>(agreement.asset.as_str()).await?;
        let metadata = asset.and_then(|asset| asset.into_value().dataplane_metadata).unwrap_or_default();
        let format = &message.format;
        let not_offered = format!("the format '{format}' is not offered");
        let open = metadata.profiles.is_empty() || metadata.profiles.contains(format);
        let Some(flow) = flow_of(format).filter(|_| open) else {
            return Ok(Err(Refusal::alike(not_offered)));
        };
        let Some(data_plane) = self.choose_data_plane(transaction, format, &metadata.labels).await? else {
            let reason = format!("no registered data plane serves the format '{format}' for this asset");
            return Ok(Err(Refusal { told: not_offered, reason }));
        };
        if let Err(refusal) = self.permit(proven, &agreement, transaction.now(), trace).await? {
            return Ok(Err(refusal));
        }
        Ok(Ok(Grounds { agreement, metadata, flow, data_plane }))
    }

    /// Whether the agreement still permits it to what the consumer has proved now.
    async fn permit(
        &self,
        proven: &Proven,
        agreement: &Agreement,
        now: heddle_clock::Timestamp,
        trace: &mut DecisionTrace,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let attributes = serde_json::Map::new();
        let agent =
            Agent { id: proven.peer.id().as_str(), attributes: &attributes, claims: proven.peer.claims() };
        let subject = Subject { agent, agreement: Some(subject_of(agreement)) };
        let functions = self.rules.functions().await?;
        let evaluation = decide(&agreement.policy, PolicyScope::TransferProcess, &subject, now, &functions);
        trace.add_evaluation(now, "agreement", &evaluation);
        if evaluation.is_permitted() {
            return Ok(Ok(()));
        }
        let told = "the agreement does not permit the transfer at this time".to_owned();
        let reason = format!("{told}: {}", evaluation.reasons().join("; "));
        Ok(Err(Refusal { told, reason }))
    }
}

/// The agreement as expressions see it.
fn subject_of(agreement: &Agreement) -> AgreementSubject<'_> {
    AgreementSubject {
        id: agreement.id.as_str(),
        agreement_id: agreement.shared_id.as_str(),
        asset_id: agreement.asset.as_str(),
        provider_id: agreement.provider.as_str(),
        consumer_id: agreement.consumer.as_str(),
        contract_signing_date: agreement.signed_at.as_seconds(),
    }
}
