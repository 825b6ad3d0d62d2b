//! Writes down one step of a transfer: the record, the message, the signal, the events.

use heddle_dsp::{
    process::Role,
    transfer::{DataPlaneStep, Effect, Event, Kind, State, Step},
};
use heddle_ids::MessageId;
use heddle_store::{NewEvent, NewJob, Transaction};
use heddle_tenancy::{Owner, Scope};
use serde::{Deserialize, Serialize};

use super::{SEND, TransferRecord};
use crate::{
    ControlPlane,
    telling::{self, About},
    trace::Traced,
};

/// Payload of a sending job.
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
        let untold = self.settle_untold(transaction, record, step);
        self.tell_in_time(transaction, scope, record, untold);
    }

    /// As [`ControlPlane::settle_transfer`], but for the events: their names are handed back.
    pub(super) fn settle_untold(
        &self,
        transaction: &mut Transaction<'_>,
        record: &mut TransferRecord,
        step: Step,
    ) -> Vec<&'static str> {
        let mut untold = Vec::new();
        // The step may have been decided before a signal was added.
        let (busy, now) = (record.process.busy(), transaction.now());
        record.process = match busy {
            Some(busy) => step.process.with_step_begun(busy, now),
            None => step.process.with_step_ended(now),
        };
        for effect in step.effects {
            match effect {
                Effect::Send(_) => self.send_in_flight(transaction, record),
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

    /// Sends the message in flight, now or as soon as our data has stopped. Jobs of what was in flight before have
    /// nothing to do any more.
    pub(super) fn send_in_flight(&self, transaction: &mut Transaction<'_>, record: &TransferRecord) {
        let Some(flight) = record.process.in_flight().filter(|_| !record.holds_message()) else { return };
        let transfer = record.process.id().to_string();
        let job = TransferJob { transfer, message: flight.message_id.clone() };
        let host = super::authority(record.process.counter_party_address());
        transaction.cancel_jobs(record.message_key());
        transaction.enqueue(NewJob::new(SEND, record.message_key(), &job).calling(host));
    }

    /// Emits events; but that data has stopped is told when it has: no token opens anything after that.
    pub(super) fn tell_in_time(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &mut TransferRecord,
        names: Vec<&'static str>,
    ) {
        for name in names {
            let says_stopped = matches!(name, "suspended" | "completed" | "terminated");
            match record.pending_stop().filter(|_| says_stopped) {
                Some(signal) => signal.tells.push(name.to_owned()),
                None => self.tell_transfer(transaction, scope, record, name),
            }
        }
    }

    /// What the data plane has to be told after the peer's message, which found the process in `from`; and what the
    /// owner is told of it (`untold`).
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
        if let Some(step) = step {
            let reason = record.error_detail();
            self.signal(transaction, record, step, reason);
        }
        self.tell_in_time(transaction, scope, record, untold);
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
