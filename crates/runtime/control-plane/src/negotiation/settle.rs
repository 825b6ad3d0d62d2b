//! Writes down one step of a negotiation: the record, the jobs, the events, and an agreement when one is reached.

use heddle_dsp::{
    negotiation::{Effect, Event, Kind, State, Step},
    process::Role,
};
use heddle_ids::{AgreementId, MessageId};
use heddle_store::{NewEvent, NewJob, Transaction};
use heddle_tenancy::Scope;
use serde::{Deserialize, Serialize};

use super::{NegotiationRecord, SEND};
use crate::{
    ControlPlane,
    model::Agreement,
    telling::{self, About},
    trace::Traced,
};

/// Payload of a sending job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendJob {
    pub(super) negotiation: String,
    pub(super) message: MessageId,
}

/// Payload of `contract.negotiation.*` events.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NegotiationEvent<'a> {
    contract_negotiation_id: &'a str,
    participant_context_id: &'a str,
    counter_party_id: &'a str,
    counter_party_address: &'a str,
    asset_id: &'a str,
    protocol: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract_agreement_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl ControlPlane {
    /// Takes over a step: its value into `record`, its effects into `transaction`. The caller saves the record.
    pub(super) fn settle_negotiation(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &mut NegotiationRecord,
        step: Step,
    ) {
        record.process = step.negotiation;
        for effect in step.effects {
            match effect {
                Effect::Send(flight) => {
                    let job =
                        SendJob { negotiation: record.process.id().to_string(), message: flight.message_id };
                    let host = crate::transfer::authority(record.process.counter_party_address());
                    transaction.enqueue(NewJob::new(SEND, record.order_key(), &job).calling(host));
                }
                Effect::Emit(event) => {
                    if event == Event::Entered(State::Agreed) {
                        self.keep_agreement(transaction, record);
                    }
                    self.tell(transaction, scope, record, event);
                }
            }
        }
    }

    fn keep_agreement(&self, transaction: &mut Transaction<'_>, record: &mut NegotiationRecord) {
        let process = &record.process;
        let (Some(policy), Some(shared_id)) = (process.agreement().cloned(), process.agreement_id()) else {
            return;
        };
        let (ms, random) = self.environment.id_parts();
        let (provider, consumer) = match process.role() {
            Role::Provider => (process.participant().clone(), process.counter_party().clone()),
            Role::Consumer => (process.counter_party().clone(), process.participant().clone()),
        };
        let agreement = Agreement {
            id: AgreementId::from_parts(ms, random),
            shared_id,
            negotiation: process.id().clone(),
            profile: process.profile().clone(),
            role: process.role(),
            counter_party: process.counter_party().clone(),
            asset: process.dataset().clone(),
            provider,
            consumer,
            signed_at: transaction.now(),
            policy,
            claims: record.claims.clone(),
        };
        record.agreement = Some(agreement.id.clone());
        transaction.insert(&agreement);
    }

    fn tell(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &mut NegotiationRecord,
        event: Event,
    ) {
        if let Event::Entered(state) = event {
            record.trace.add(transaction.now(), Traced::State { state: state.as_str().to_owned() });
        }
        let access = scope.access();
        let context = match access.owner() {
            heddle_tenancy::Owner::Participant(context) => context.as_str(),
            _ => "",
        };
        let process = &record.process;
        let payload = NegotiationEvent {
            contract_negotiation_id: process.id().as_str(),
            participant_context_id: context,
            counter_party_id: process.counter_party().as_str(),
            counter_party_address: process.counter_party_address(),
            asset_id: process.dataset().as_str(),
            protocol: process.profile().as_str(),
            contract_agreement_id: record.agreement.as_ref().map(AgreementId::as_str),
            agreement_id: process.agreement_id().map(String::from),
            reason: record.error_detail(),
        };
        let name = event.name();
        if name == "finalized" {
            transaction.when_committed(|| {
                metrics::counter!("heddle_contracts_negotiated_total").increment(1);
            });
        }
        let event = format!("contract.negotiation.{name}");
        telling::moved(transaction, About::from(process), event.clone(), payload.reason.clone());
        transaction.emit(NewEvent::new(event, process.id().as_str(), &payload));
    }
}

/// The name of a message type on the wire.
pub(super) fn message_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "ContractRequestMessage",
        Kind::Offer => "ContractOfferMessage",
        Kind::Accept | Kind::Finalize => "ContractNegotiationEventMessage",
        Kind::Agree => "ContractAgreementMessage",
        Kind::Verify => "ContractAgreementVerificationMessage",
        Kind::Terminate => "ContractNegotiationTerminationMessage",
    }
}
