//! Writes down one step of a transfer: the record, the jobs, the signals, the events.

use heddle_dsp::{
    process::Role,
    transfer::{DataPlaneStep, Effect, Event, Kind, State, Step},
};
use heddle_ids::MessageId;
use heddle_store::{NewEvent, NewJob, Transaction};
use heddle_tenancy::{Owner, Scope};
use serde::{Deserialize, Serialize};

use super::{SEND, SIGNAL, TransferRecord, record::Signal};
use crate::{
    ControlPlane,
    telling::{self, About},
    trace::Traced,
};

/// Payload of a sending job and of a signalling job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransferJob {
    pub(super) transfer: String,
    pub(super) message: MessageId,
}

/// Payload of `transfer.process.*` events.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TransferEvent<'a> {
    transfer_process_id: &'a str,
    participant_context_id: &'a str,
    counter_party_id: &'a str,
    asset_id: &'a str,
    contract_id: &'a str,
    protocol: &'a str,
    #[serde(rename = "type")]
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl ControlPlane {
    /// Takes over a step: its value into `record`, its effects into `transaction`. The caller saves the record.
    pub(super) fn settle_transfer(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &mut TransferRecord,
        step: Step,
    ) {
        for name in self.settle_untold(transaction, record, step) {
            self.tell_transfer(transaction, scope, record, name);
        }
    }

    /// As [`ControlPlane::settle_transfer`], but for the events: their names are handed back.
    pub(super) fn settle_untold(
        &self,
        transaction: &mut Transaction<'_>,
        record: &mut TransferRecord,
        step: Step,
    ) -> Vec<&'static str> {
        let mut untold = Vec::new();
        record.process = step.process;
        for effect in step.effects {
            match effect {
                Effect::Send(flight) => {
                    let transfer = record.process.id().to_string();
                    let job = TransferJob { transfer, message: flight.message_id };
                    let host = super::authority(record.process.counter_party_address());
                    transaction.enqueue(NewJob::new(SEND, record.order_key(), &job).calling(host));
                }
                Effect::Emit(event) => {
                    if let Event::Entered(state) = event {
                        let state = state.as_str().to_owned();
                        record.trace.add(transaction.now(), Traced::State { state });
                    }
                    // A consumer's transfer has started when its data plane knows the address.
                    let told_later = record.process.role() == Role::Consumer && event.name() == "started";
                    if !told_later {
                        untold.push(event.name());
                    }
                }
            }
        }
        untold
    }

    /// Adds a signal to the data plane behind those that wait already.
    pub(super) fn signal(
        &self,
        transaction: &mut Transaction<'_>,
        record: &mut TransferRecord,
        step: DataPlaneStep,
        reason: Option<String>,
    ) {
        let signal = Signal { step, message_id: self.message_id(), reason, tells: Vec::new() };
        let transfer = record.process.id().to_string();
        let job = TransferJob { transfer, message: signal.message_id.clone() };
        if record.signals.is_empty() {
            record.process = record.process.clone().with_step_begun(step, transaction.now());
        }
        record.signals.push(signal);
        transaction.enqueue(NewJob::new(SIGNAL, record.order_key(), &job));
    }

    /// The first signal is done; the next one, if any, is under way now.
    pub(super) fn signal_ended(&self, transaction: &mut Transaction<'_>, record: &mut TransferRecord) {
        let now = transaction.now();
        let waited = record.awaits_callback;
        if !record.signals.is_empty() {
            record.signals.remove(0);
        }
        record.awaits_callback = false;
        let process = record.process.clone().with_step_ended(now);
        record.process = match record.signals.first() {
            Some(next) => {
                // While a callback was awaited, the jobs of the signals behind it have run in vain.
                if waited {
                    let transfer = process.id().to_string();
                    let job = TransferJob { transfer, message: next.message_id.clone() };
                    transaction.enqueue(NewJob::new(SIGNAL, record.order_key(), &job));
                }
                process.with_step_begun(next.step, now)
            }
            None => process,
        };
    }

    /// What the data plane has to be told after the peer's message, which found the process in `from`; and what the
    /// owner is told of it (`untold`). That data has stopped is told when it has: no token opens anything after that.
    pub(super) fn follow_peer(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &mut TransferRecord,
        (from, kind): (Option<State>, Kind),
        untold: Vec<&'static str>,
    ) {
        let step = match (kind, record.process.state()) {
            (Kind::Start, Some(State::Started)) if from == Some(State::Requested) => {
                Some(DataPlaneStep::Start)
            }
            (Kind::Start, Some(State::Started)) => Some(DataPlaneStep::Resume),
            (Kind::Suspend, Some(State::Suspended)) => Some(DataPlaneStep::Suspend),
            (Kind::Complete, Some(State::Completed)) => Some(DataPlaneStep::Complete),
            (Kind::Terminate, Some(State::Terminated)) => Some(DataPlaneStep::Terminate),
            _ => None,
        };
        // A data plane that has not come to its start yet, and perhaps never will, lets nothing through.
        let stops = step.is_some() && kind != Kind::Start && !record.awaits_callback;
        if !stops {
            for name in &untold {
                self.tell_transfer(transaction, scope, record, name);
            }
        }
        let Some(step) = step else { return };
        let reason = record.error_detail();
        self.signal(transaction, record, step, reason);
        if let Some(signal) = record.signals.last_mut().filter(|_| stops) {
            signal.tells = untold.into_iter().map(str::to_owned).collect();
        }
    }

    /// Emits the event `transfer.process.<name>`.
    pub(super) fn tell_transfer(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &TransferRecord,
        name: &str,
    ) {
        let access = scope.access();
        let context = match access.owner() {
            Owner::Participant(context) => context.as_str(),
            _ => "",
        };
        let process = &record.process;
        let payload = TransferEvent {
            transfer_process_id: process.id().as_str(),
            participant_context_id: context,
            counter_party_id: process.counter_party().as_str(),
            asset_id: process.dataset().as_str(),
            contract_id: record.agreement.as_str(),
            protocol: process.profile().as_str(),
            role: match process.role() {
                Role::Consumer => "CONSUMER",
                Role::Provider => "PROVIDER",
            },
            reason: record.error_detail(),
        };
        let event = format!("transfer.process.{name}");
        telling::moved(transaction, About::from(process), event.clone(), payload.reason.clone());
        transaction.emit(NewEvent::new(event, process.id().as_str(), &payload));
    }
}

/// The name of a message type on the wire.
pub(super) fn message_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Request => "TransferRequestMessage",
        Kind::Start => "TransferStartMessage",
        Kind::Suspend => "TransferSuspensionMessage",
        Kind::Complete => "TransferCompletionMessage",
        Kind::Terminate => "TransferTerminationMessage",
    }
}
