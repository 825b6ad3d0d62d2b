//! Signals data planes, and writes down what follows from their answers.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dsp::{
    process::{Explanation, Failure, Role},
    transfer::{self, DataPlaneStep, Flow, Message},
    wire,
};
use heddle_outbound::{OutboundError, RetryClass};
use heddle_store::{ClaimedJob, JobContext, JobHandler, Outcome, StoreError, Transaction};
use heddle_tenancy::{JobScope, ParticipantScope, Scope};

use super::{
    TransferRecord, address,
    plane_client::{self, Progress},
    plane_failure::{self, PlaneFailure},
    plane_token::TokenError,
    record::Signal,
    settle::TransferJob,
};
use crate::{
    ControlPlane,
    model::DataPlane,
    telling::{self, About},
    trace::Traced,
};

/// Attempts after which a data plane that does not answer is given up.
const ATTEMPTS_MAX: u32 = 8;

/// Runs `transfer.signal`.
pub(super) struct Signaller {
    plane: Arc<ControlPlane>,
}

/// Why a signal has not arrived.
struct Trouble {
    failure: PlaneFailure,
    class: RetryClass,
}

impl Trouble {
    fn last(reason: String) -> Self {
        Self { failure: PlaneFailure::Broken(reason), class: RetryClass::Final }
    }

    fn passing(reason: String) -> Self {
        Self { failure: PlaneFailure::Broken(reason), class: RetryClass::Retry { after: None } }
    }

    fn of(error: &OutboundError) -> Self {
        Self { failure: PlaneFailure::of(error), class: error.class() }
    }
}

impl Signaller {
    pub(super) fn new(plane: Arc<ControlPlane>) -> Self {
        Self { plane }
    }

    async fn call(
        &self,
        scope: &ParticipantScope,
        record: &TransferRecord,
        signal: &Signal,
    ) -> Result<Progress, Trouble> {
        let plane = self
            .plane
            .store
            .begin(scope)
            .load::<DataPlane>(record.data_plane.as_str())
            .await
            .map_err(|error| Trouble::passing(error.to_string()))?
            .ok_or_else(|| Trouble::last("it is not registered any more".to_owned()))?;
        let address = self.plane.open_address(scope, &record.process).await.map_err(|error| {
            let (reason, class) = address::trouble(&error);
            Trouble { failure: PlaneFailure::Broken(reason), class }
        })?;
        let request = plane_client::request(record, plane.value(), signal, address.as_ref());
        let mut request = request.map_err(Trouble::last)?;
        match self.plane.plane_tokens.authorization(scope, plane.value()).await {
            Ok(Some(authorization)) => request = request.authorization(authorization),
            Ok(None) => {}
            Err(TokenError::Temporary(reason)) => return Err(Trouble::passing(reason)),
            Err(TokenError::Final(reason)) => return Err(Trouble::last(reason)),
        }
        let answer = self.plane.outbound.send(request).await;
        if matches!(&answer, Err(OutboundError::Status { status, .. }) if status.as_u16() == 401) {
            self.plane.plane_tokens.forget(scope, plane.value());
        }
        let answer = answer.map_err(|error| Trouble::of(&error))?;
        plane_client::progress(signal.step, answer.body()).map_err(|error| Trouble::of(&error))
    }
}

#[async_trait]
impl JobHandler for Signaller {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "a transfer belongs to a participant".to_owned() });
        };
        let job: TransferJob = context.job.payload()?;
        let loaded = self.plane.store.begin(scope).load::<TransferRecord>(&job.transfer).await?;
        let Some(record) = loaded.map(heddle_store::Loaded::into_value) else { return Ok(Outcome::Done) };
        let Some(signal) = first_signal(&record, &job) else { return Ok(Outcome::Done) };
        if record.awaits_callback {
            return Ok(Outcome::Done);
        }
        let outcome = match self.call(scope, &record, &signal).await {
            Ok(progress) => {
                telling::sent(&About::from(&record.process), &format!("data flow {}", signal.step));
                Ok(progress)
            }
            Err(trouble) => {
                let again = match trouble.class {
                    RetryClass::Retry { .. } => context.job.attempts + 1 < ATTEMPTS_MAX,
                    // The data plane's own services may be restarting.
                    RetryClass::RetryBriefly => context.job.attempts + 1 < ATTEMPTS_MAX / 2,
                    RetryClass::Final => false,
                };
                if again {
                    let after = match trouble.class {
                        RetryClass::Retry { after } => after,
                        _ => None,
                    };
                    let error = trouble.failure.for_owner(&record.data_plane);
                    return Ok(Outcome::Retry { error, after });
                }
                Err(trouble.failure)
            }
        };
        self.plane.signal_answered(scope, (&job.transfer, &job.message), outcome, Some(&context.job)).await
    }
}

/// The signal of the job, if it is its turn.
fn first_signal(record: &TransferRecord, job: &TransferJob) -> Option<Signal> {
    record.signals.first().filter(|signal| signal.message_id == job.message).cloned()
}

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
        let now = transaction.now();
        if outcome != Ok(Progress::UnderWay) {
            for name in &signal.tells {
                self.tell_transfer(transaction, scope, record, name);
            }
        }
        match outcome {
            Ok(Progress::UnderWay) => record.awaits_callback = true,
            Ok(Progress::Done(address)) => {
                self.signal_ended(transaction, record);
                self.follow_plane(transaction, scope, record, signal.step, address);
            }
            Err(failure) => {
                let reason = failure.for_owner(&record.data_plane);
                record.trace.add(now, Traced::Refused { reason });
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

    /// A data plane that cannot do its step ends the transfer, unless the step was to end it anyway.
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
        if matches!(step, DataPlaneStep::Suspend | DataPlaneStep::Complete | DataPlaneStep::Terminate) {
            tracing::warn!(
                component = "control-plane",
                action = "signal",
                reason,
                "a data plane was not told"
            );
            return;
        }
        if record.process.state().is_none() {
            // No message has gone out, so there is nobody to tell: the request is given up before it is sent.
            let id = self.message_id();
            let Ok(step) = transfer::send(&record.process, Message::Request(None), id.clone(), now) else {
                return;
            };
            let failure = Failure::Refused(reason);
            let step = transfer::abandoned(&step.process, &id, &failure, self.message_id(), now);
            return self.settle_transfer(transaction, scope, record, step);
        }
        let told = failure.for_peer(record.process.role());
        let message = Message::Terminate(Explanation::new(plane_failure::CODE, told));
        match transfer::send(&record.process, message, self.message_id(), now) {
            Ok(step) => self.settle_transfer(transaction, scope, record, step),
            Err(refused) => record.trace.add(now, Traced::Refused { reason: refused.to_string() }),
        }
    }
}
