//! What data planes tell us by themselves (Data Plane Signaling, control plane endpoints).

use heddle_dps::wire::ReceivedStatus;
use heddle_dsp::{
    process::Explanation,
    transfer::{self, DataPlaneStep, Message, State},
};
use heddle_ids::DataPlaneId;
use heddle_store::StoreError;
use heddle_tenancy::ParticipantScope;

use super::{
    TransferRecord,
    plane_client::{Progress, from_signaling},
    plane_failure::{self, PlaneFailure},
    record::{Signal, Waiting},
};
use crate::{
    ControlPlane,
    telling::{self, About},
    trace::{Direction, Traced},
};

/// How often a callback is applied anew when somebody else changes the process at the same moment.
const ATTEMPTS_MAX: u32 = 8;

/// A callback of a data plane.
#[derive(Debug, Clone)]
pub(crate) enum Callback {
    /// An asynchronous preparation has ended.
    Prepared(ReceivedStatus),
    /// An asynchronous start has ended.
    Started(ReceivedStatus),
    /// All data has been transferred.
    Completed,
    /// It cannot go on.
    Errored(ReceivedStatus),
}

impl Callback {
    /// As the log names it.
    const fn name(&self) -> &'static str {
        match self {
            Self::Prepared(_) => "data flow prepared",
            Self::Started(_) => "data flow started",
            Self::Completed => "data flow completed",
            Self::Errored(_) => "data flow errored",
        }
    }
}

/// Why a callback was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallbackError {
    /// There is no such transfer, or not of this data plane.
    #[error("there is no such transfer")]
    NotFound,
    /// The transfer is not in a state for it.
    #[error("{0}")]
    Conflict(String),
    /// The callback is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ControlPlane {
    /// Takes a callback of the data plane `plane` about a transfer. A repeat changes nothing.
    pub(crate) async fn data_plane_callback(
        &self,
        scope: &ParticipantScope,
        plane: &DataPlaneId,
        id: &str,
        callback: Callback,
    ) -> Result<(), CallbackError> {
        for _ in 0..ATTEMPTS_MAX {
            match self.take_callback(scope, plane, id, &callback).await {
                Err(CallbackError::Store(StoreError::Stale { .. })) => {}
                other => return other,
            }
        }
        Err(CallbackError::Conflict("the transfer is changing at this moment; try again".to_owned()))
    }

    async fn take_callback(
        &self,
        scope: &ParticipantScope,
        plane: &DataPlaneId,
        id: &str,
        callback: &Callback,
    ) -> Result<(), CallbackError> {
        let loaded = self.store.begin(scope).load::<TransferRecord>(id).await?;
        let record = loaded.filter(|record| record.data_plane == *plane).ok_or(CallbackError::NotFound)?;
        telling::message(&About::from(&record.process), Direction::Received, callback.name());
        match callback {
            Callback::Prepared(status) => {
                self.step_ended(scope, &record, &[DataPlaneStep::Prepare], status).await
            }
            // A flow that is resumed starts again.
            Callback::Started(status) => {
                let steps = [DataPlaneStep::Start, DataPlaneStep::Resume];
                self.step_ended(scope, &record, &steps, status).await
            }
            Callback::Completed => self.completed_by_plane(scope, id).await,
            Callback::Errored(status) => {
                match record.signals.first() {
                    // The step that was accepted has failed.
                    Some(signal) if record.awaits_callback => {
                        let step = (id, &signal.message_id);
                        let refused = Err(PlaneFailure::reported(status.error.as_deref()));
                        self.signal_answered(scope, step, refused, None).await?;
                        Ok(())
                    }
                    _ => {
                        let reason = status.error.clone().unwrap_or_else(|| "it gave no reason".to_owned());
                        self.errored_by_plane(scope, id, reason).await
                    }
                }
            }
        }
    }

    async fn step_ended(
        &self,
        scope: &ParticipantScope,
        record: &TransferRecord,
        steps: &[DataPlaneStep],
        status: &ReceivedStatus,
    ) -> Result<(), CallbackError> {
        let Some(signal) = record.signals.first().filter(|signal| steps.contains(&signal.step)) else {
            // It has been told before.
            return Ok(());
        };
        let address = status.data_address.as_ref().map(from_signaling).transpose();
        let address = address.map_err(CallbackError::Invalid)?.map(Box::new);
        let outcome = Ok(Progress::Done(address));
        let id = record.process.id().as_str();
        self.signal_answered(scope, (id, &signal.message_id), outcome, None).await?;
        Ok(())
    }

    async fn completed_by_plane(&self, scope: &ParticipantScope, id: &str) -> Result<(), CallbackError> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<TransferRecord>(id).await?.ok_or(CallbackError::NotFound)?;
        let now = transaction.now();
        let completing = loaded.process.in_flight().map(|own| own.message.kind());
        if loaded.process.state() == Some(State::Completed) || completing == Some(transfer::Kind::Complete) {
            return Ok(());
        }
        let step = transfer::send(&loaded.process, Message::Complete, self.message_id(), now)
            .map_err(|refused| CallbackError::Conflict(refused.to_string()))?;
        let mut record = loaded.value().clone();
        record.flow_ended = true;
        self.settle_transfer(&mut transaction, scope, &mut record, step);
        transaction.save(&loaded, &record);
        Ok(transaction.commit().await?)
    }

    /// DPS leaves the state as it is; our participants want to know that nothing will come, so the transfer ends.
    async fn errored_by_plane(
        &self,
        scope: &ParticipantScope,
        id: &str,
        reason: String,
    ) -> Result<(), CallbackError> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<TransferRecord>(id).await?.ok_or(CallbackError::NotFound)?;
        let now = transaction.now();
        let mut record = loaded.value().clone();
        record.trace.add(now, Traced::Refused { reason: format!("the data plane reports: {reason}") });
        record.data_plane_error = Some(reason.clone());
        let told = PlaneFailure::Broken(reason.clone()).for_peer(record.process.role());
        let message = Message::Terminate(Explanation::new(plane_failure::CODE, told));
        if let Ok(step) = transfer::send(&record.process, message, self.message_id(), now) {
            let mut signal = Signal::new(DataPlaneStep::Terminate, self.message_id(), Some(reason));
            signal.waiting = Waiting::Events;
            self.add_signal(&mut transaction, &mut record, signal);
            self.settle_transfer(&mut transaction, scope, &mut record, step);
        }
        transaction.save(&loaded, &record);
        Ok(transaction.commit().await?)
    }
}
