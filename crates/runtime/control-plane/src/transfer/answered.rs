//! What follows from the answers of data planes.

use heddle_dsp::{
    process::{Explanation, Role},
    transfer::{self, DataPlaneStep, Flow, Message},
    wire,
};
use heddle_store::{ClaimedJob, Outcome, StoreError, Transaction};
use heddle_tenancy::{ParticipantScope, Scope};

use super::{
    TransferRecord,
    plane_client::Progress,
    plane_failure::{self, PlaneFailure},
    record::{Signal, Waiting},
};
use crate::{ControlPlane, trace::Traced};

impl ControlPlane {
    /// Writes down what a data plane has answered, at once or by a callback: the signal `(transfer, message)`
    /// has ended.
    pub(super) async fn signal_answered(
        &self,
        scope: &ParticipantScope,
        (transfer, message): (&str, &heddle_ids::MessageId),
        outcome: Result<Progress, PlaneFailure>,
        job: Option<&ClaimedJob>,
    ) -> Result<Outcome, StoreError> {
        let outcome = match outcome {
            Ok(progress) => Ok(self.seal_progress(scope, transfer, progress).await?),
            failed => failed,
        };
        loop {
            let mut transaction = self.store.begin(scope);
            let Some(loaded) = transaction.load::<TransferRecord>(transfer).await? else {
                return Ok(Outcome::Done);
            };
            let mut record = loaded.value().clone();
            let Some(signal) = record.signals.first().filter(|signal| signal.message_id == *message).cloned()
            else {
                return Ok(Outcome::Done);
            };
            if let Some(job) = job {
                transaction.complete(job);
            }
            self.after_signal(&mut transaction, scope, &mut record, &signal, outcome.clone());
            transaction.save(&loaded, &record);
            match transaction.commit().await {
                Err(StoreError::Stale { .. }) => {}
                other => return other.map(|()| Outcome::Completed),
            }
        }
    }

    fn after_signal(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &mut TransferRecord,
        signal: &Signal,
        outcome: Result<Progress, PlaneFailure>,
    ) {
        match outcome {
            Ok(Progress::UnderWay) => self.await_callback(transaction, record),
            Ok(Progress::Done(address)) => {
                for name in &signal.tells {
                    self.tell_transfer(transaction, scope, record, name);
                }
                self.signal_ended(transaction, record);
                self.follow_plane(transaction, scope, record, signal.step, address);
            }
            Err(failure) => {
                let reason = failure.for_owner(&record.data_plane);
                record.trace.add(transaction.now(), Traced::Refused { reason });
                self.signal_ended(transaction, record);
                self.plane_failed(transaction, scope, record, signal.step, &failure);
            }
        }
    }

    /// What follows when the data plane has done its step.
    fn follow_plane(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &mut TransferRecord,
        step: DataPlaneStep,
        address: Option<Box<wire::DataAddress>>,
    ) {
        let role = record.process.role();
        let owner = role == record.process.flow().address_owner();
        let message = match (step, role) {
            (DataPlaneStep::Prepare, _) => {
                Message::Request(address.filter(|_| record.process.flow() == Flow::Push))
            }
            (DataPlaneStep::Start, Role::Provider) => Message::Start(address.filter(|_| owner)),
            (DataPlaneStep::Start, Role::Consumer) => {
                self.tell_transfer(transaction, scope, record, "started");
                return;
            }
            (DataPlaneStep::Resume, _) if owner => Message::Start(address),
            (DataPlaneStep::Resume, _) => {
                self.tell_transfer(transaction, scope, record, "started");
                return;
            }
            (DataPlaneStep::Suspend | DataPlaneStep::Complete | DataPlaneStep::Terminate, _) => return,
        };
        let now = transaction.now();
        match transfer::send(&record.process, message, self.message_id(), now) {
            Ok(step) => self.settle_transfer(transaction, scope, record, step),
            // The process has moved on meanwhile, as by a termination of the peer.
            Err(refused) => record.trace.add(now, Traced::Refused { reason: refused.to_string() }),
        }
    }

    /// A data plane that cannot do its step ends the transfer. A stop does not come here: it is never given up.
    fn plane_failed(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &dyn Scope,
        record: &mut TransferRecord,
        step: DataPlaneStep,
        failure: &PlaneFailure,
    ) {
        let now = transaction.now();
        let reason = failure.for_owner(&record.data_plane);
        record.data_plane_error = Some(reason.clone());
        let told = Explanation::new(plane_failure::CODE, failure.for_peer(record.process.role()));
        let ended = match record.process.state() {
            None => Ok(transfer::withdrawn(&record.process, told, now)),
            Some(_) => transfer::send(&record.process, Message::Terminate(told), self.message_id(), now),
        };
        // It may have begun all the same, as when only its answer was lost.
        let mut signal = Signal::new(DataPlaneStep::Terminate, self.message_id(), Some(reason));
        signal.waiting = match failure {
            PlaneFailure::Broken(_) if may_move_data(record, step) => Waiting::Events,
            _ => Waiting::Nothing,
        };
        self.add_signal(transaction, record, signal);
        match ended {
            Ok(step) => self.settle_transfer(transaction, scope, record, step),
            Err(refused) => record.trace.add(now, Traced::Refused { reason: refused.to_string() }),
        }
    }
}

/// Whether data can move when the data plane has done the step and nobody has heard of that. A provider that starts a
/// pull has handed out no address yet.
fn may_move_data(record: &TransferRecord, step: DataPlaneStep) -> bool {
    let owner = record.process.role() == record.process.flow().address_owner();
    match (step, record.process.role()) {
        (DataPlaneStep::Prepare, _) => false,
        (DataPlaneStep::Start, Role::Provider) => !owner,
        _ => true,
    }
}
