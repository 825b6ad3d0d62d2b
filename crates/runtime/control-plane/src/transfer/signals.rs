//! The signals of a transfer to its data plane, in their order. Only the first one has a job.

use heddle_clock::Timestamp;
use heddle_dsp::transfer::DataPlaneStep;
use heddle_ids::MessageId;
use heddle_store::{NewJob, Transaction};
use serde::{Deserialize, Serialize};

use super::{
    SIGNAL, TransferRecord,
    record::{Signal, Waiting},
};
use crate::{ControlPlane, trace::Traced};

/// Payload of a signalling job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignalJob {
    pub(super) transfer: String,
    pub(super) message: MessageId,
    /// Attempts before this one. The worker's own count would bury a stop that is missed for long.
    #[serde(default)]
    pub(super) attempts: u32,
    /// The callback of the signal has to have come by now.
    #[serde(default)]
    pub(super) overdue: bool,
}

impl SignalJob {
    fn of(record: &TransferRecord, signal: &Signal) -> Self {
        let (transfer, message) = (record.process.id().to_string(), signal.message_id.clone());
        Self { transfer, message, attempts: 0, overdue: false }
    }
}

impl ControlPlane {
    /// Adds a signal behind those that wait already.
    pub(super) fn signal(
        &self,
        transaction: &mut Transaction<'_>,
        record: &mut TransferRecord,
        step: DataPlaneStep,
        reason: Option<String>,
    ) {
        self.add_signal(transaction, record, Signal::new(step, self.message_id(), reason));
    }

    /// As [`ControlPlane::signal`]. One after which nothing follows takes the place of all others, also of a step that
    /// the data plane has accepted and not done yet.
    pub(super) fn add_signal(
        &self,
        transaction: &mut Transaction<'_>,
        record: &mut TransferRecord,
        mut signal: Signal,
    ) {
        let pending = record.signals.first().is_some_and(|first| first.step == signal.step);
        if record.flow_ended || (pending && signal.step.ends()) {
            return;
        }
        let held = record.holds_message();
        if signal.step.ends() {
            signal.tells.extend(record.signals.drain(..).flat_map(|superseded| superseded.tells));
            record.awaits_callback = false;
        }
        record.signals.push(signal);
        if record.signals.len() == 1 {
            self.begin_signal(transaction, record);
        }
        if held {
            self.send_in_flight(transaction, record);
        }
    }

    /// Puts the first signal under way. A job that waits for another one has nothing to do any more.
    fn begin_signal(&self, transaction: &mut Transaction<'_>, record: &mut TransferRecord) {
        let Some(first) = record.signals.first() else { return };
        let job = SignalJob::of(record, first);
        transaction.cancel_jobs(record.signal_key());
        transaction.enqueue(NewJob::new(SIGNAL, record.signal_key(), &job));
        record.process = record.process.clone().with_step_begun(first.step, transaction.now());
    }

    /// The first signal is done; the next one, if any, is under way now, and so is the message that waited for it.
    pub(super) fn signal_ended(&self, transaction: &mut Transaction<'_>, record: &mut TransferRecord) {
        let held = record.holds_message();
        if !record.signals.is_empty() {
            let ended = record.signals.remove(0);
            record.flow_ended |= ended.step.ends();
        }
        record.awaits_callback = false;
        record.process = record.process.clone().with_step_ended(transaction.now());
        transaction.cancel_jobs(record.signal_key());
        self.begin_signal(transaction, record);
        if held {
            self.send_in_flight(transaction, record);
        }
    }

    /// The first signal goes to the data plane once more.
    pub(super) fn signal_again(
        &self,
        transaction: &mut Transaction<'_>,
        record: &TransferRecord,
        job: &SignalJob,
        due_at: Timestamp,
    ) {
        let job = SignalJob { attempts: job.attempts.saturating_add(1), ..job.clone() };
        transaction.enqueue(NewJob::new(SIGNAL, record.signal_key(), &job).due_at(due_at));
    }

    /// The data plane has accepted the first signal, and is to call back in time.
    pub(super) fn await_callback(&self, transaction: &mut Transaction<'_>, record: &mut TransferRecord) {
        let Some(first) = record.signals.first() else { return };
        let job = SignalJob { overdue: true, ..SignalJob::of(record, first) };
        let due_at = transaction.now() + self.patience.callbacks;
        transaction.enqueue(NewJob::new(SIGNAL, record.signal_key(), &job).due_at(due_at));
        record.awaits_callback = true;
    }

    /// The data plane has missed the first signal, that data stops, so often that the peer hears of it first. It is told
    /// all the same as soon as it answers.
    pub(super) fn signal_missed(
        &self,
        transaction: &mut Transaction<'_>,
        record: &mut TransferRecord,
        reason: String,
    ) {
        let held = record.holds_message();
        let Some(first) = record.signals.first_mut().filter(|first| first.waiting == Waiting::Message) else {
            return;
        };
        first.waiting = Waiting::Events;
        let step = first.step;
        tracing::warn!(component = "control-plane", action = "signal", reason, %step, "a data plane was not told");
        record.trace.add(transaction.now(), Traced::Refused { reason: reason.clone() });
        record.data_plane_error.get_or_insert(reason);
        if held {
            self.send_in_flight(transaction, record);
        }
    }
}
