//! Signals data planes, and writes down what follows from their answers.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_dsp::{
    process::{Explanation, Role},
    transfer::{self, DataPlaneStep, Flow, Message},
    wire,
};
use heddle_outbound::{OutboundError, Request, Response, RetryClass};
use heddle_store::{Backoff, ClaimedJob, JobContext, JobHandler, Outcome, StoreError, Transaction};
use heddle_tenancy::{JobScope, ParticipantScope, Scope};

use super::{
    TransferRecord, address,
    plane_client::{self, Progress},
    plane_failure::{self, PlaneFailure},
    plane_token::TokenError,
    record::{Signal, Waiting},
    signals::SignalJob,
};
use crate::{
    ControlPlane,
    model::DataPlane,
    patience::WAIT_MAX,
    telling::{self, About},
    trace::Traced,
};

/// Attempts after which a data plane that does not answer is given up; told to stop, it is not waited for.
const ATTEMPTS_MAX: u32 = 8;

/// Runs `transfer.signal`.
pub(super) struct Signaller {
    plane: Arc<ControlPlane>,
}

/// Why a signal has not arrived.
struct Trouble {
    failure: PlaneFailure,
    class: RetryClass,
    /// The data plane has answered, if only to refuse.
    answered: bool,
    /// The data plane says, or it follows, that there is no such flow.
    absent: bool,
}

/// What follows from a signal that has not arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It goes out once more.
    Again,
    /// It goes out once more, and again until it arrives; but nobody relies on that any more.
    Missed,
    /// There is no flow to stop.
    Absent,
    /// It is given up.
    Failed,
}

impl Trouble {
    fn of_class(reason: String, class: RetryClass) -> Self {
        Self { failure: PlaneFailure::Broken(reason), class, answered: false, absent: false }
    }

    fn last(reason: String) -> Self {
        Self::of_class(reason, RetryClass::Final)
    }

    fn passing(reason: String) -> Self {
        Self::of_class(reason, RetryClass::Retry { after: None })
    }

    fn unregistered() -> Self {
        Self { absent: true, ..Self::last("it is not registered any more".to_owned()) }
    }

    fn of(error: &OutboundError) -> Self {
        let status = error.status();
        Self {
            failure: PlaneFailure::of(error),
            class: error.class(),
            answered: status.is_some(),
            absent: status.is_some_and(|status| status.as_u16() == 404),
        }
    }

    /// Judges the failure of attempt number `attempt`, counted from 1. A stop is never given up.
    fn judge(&self, step: DataPlaneStep, attempt: u32) -> Verdict {
        let attempts_max = match self.class {
            RetryClass::Retry { .. } => ATTEMPTS_MAX,
            // The data plane's own services may be restarting.
            RetryClass::RetryBriefly => ATTEMPTS_MAX / 2,
            RetryClass::Final => 1,
        };
        // Much hangs on it that a flow is gone; what answers 404 while the data plane restarts does not know.
        let believed = self.class == RetryClass::Final || attempt >= ATTEMPTS_MAX;
        match step.stops() {
            true if self.absent && believed => Verdict::Absent,
            true if attempt >= attempts_max => Verdict::Missed,
            false if attempt >= attempts_max => Verdict::Failed,
            _ => Verdict::Again,
        }
    }

    /// How long the data plane asks us to wait.
    const fn after(&self) -> Option<Duration> {
        match self.class {
            RetryClass::Retry { after } => after,
            _ => None,
        }
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
        let plane = self.data_plane(scope, record).await?;
        // A stop needs no address, and so fails by none.
        let address = match plane_client::takes_address(record, signal.step) {
            true => self.plane.open_address(scope, &record.process).await.map_err(|error| {
                let (reason, class) = address::trouble(&error);
                Trouble::of_class(reason, class)
            })?,
            false => None,
        };
        let request =
            plane_client::request(record, &plane, signal, address.as_ref()).map_err(Trouble::last)?;
        let answer = self.ask(scope, &plane, request).await?;
        plane_client::progress(signal.step, answer.body()).map_err(|error| Trouble::of(&error))
    }

    async fn data_plane(
        &self,
        scope: &ParticipantScope,
        record: &TransferRecord,
    ) -> Result<DataPlane, Trouble> {
        let loaded = self.plane.store.begin(scope).load::<DataPlane>(record.data_plane.as_str()).await;
        let loaded = loaded.map_err(|error| Trouble::passing(error.to_string()))?;
        Ok(loaded.ok_or_else(Trouble::unregistered)?.into_value())
    }

    async fn ask(
        &self,
        scope: &ParticipantScope,
        plane: &DataPlane,
        mut request: Request,
    ) -> Result<Response, Trouble> {
        match self.plane.plane_tokens.authorization(scope, plane).await {
            Ok(Some(authorization)) => request = request.authorization(authorization),
            Ok(None) => {}
            Err(TokenError::Temporary(reason)) => return Err(Trouble::passing(reason)),
            Err(TokenError::Final(reason)) => return Err(Trouble::last(reason)),
        }
        let answer = self.plane.outbound.send(request).await;
        if matches!(&answer, Err(OutboundError::Status { status, .. }) if status.as_u16() == 401) {
            self.plane.plane_tokens.forget(scope, plane);
        }
        answer.map_err(|error| Trouble::of(&error))
    }

    /// Whether the flow is where `step` leads, as the data plane itself shows it: it may refuse a stop that has happened.
    async fn has_stopped(
        &self,
        scope: &ParticipantScope,
        record: &TransferRecord,
        step: DataPlaneStep,
    ) -> bool {
        let Ok(plane) = self.data_plane(scope, record).await else { return false };
        let request = plane_client::status_request(record, &plane);
        let answer = self.ask(scope, &plane, request).await;
        answer.is_ok_and(|answer| plane_client::shows_stopped(step, answer.body()))
    }

    /// Has the signal sent again. The job is a new one, so that one which has been overtaken meanwhile goes nowhere.
    async fn again(
        &self,
        context: &JobContext,
        scope: &ParticipantScope,
        job: &SignalJob,
        trouble: &Trouble,
        missed: bool,
    ) -> Result<Outcome, StoreError> {
        let environment = &self.plane.environment;
        let wait = trouble.after().unwrap_or_else(|| Backoff::default().wait(job.attempts, environment));
        loop {
            let mut transaction = self.plane.store.begin(scope);
            let Some(loaded) = transaction.load::<TransferRecord>(&job.transfer).await? else {
                return Ok(Outcome::Done);
            };
            if first_signal(&loaded, job).is_none() {
                return Ok(Outcome::Done);
            }
            let mut record = loaded.value().clone();
            let reason = trouble.failure.for_owner(&record.data_plane);
            tracing::info!(action = "retry", attempts = job.attempts, error = %reason, "a signal failed");
            transaction.complete(&context.job);
            let due_at = transaction.now() + wait.min(WAIT_MAX);
            self.plane.signal_again(&mut transaction, &record, job, due_at);
            if missed {
                self.plane.signal_missed(&mut transaction, &mut record, reason);
            }
            // A signal that is added at this moment finds the new job, or we find the signal.
            if record == *loaded.value() {
                transaction.check(&loaded);
            } else {
                transaction.save(&loaded, &record);
            }
            match transaction.commit().await {
                Err(StoreError::Stale { .. }) => {}
                other => return other.map(|()| Outcome::Completed),
            }
        }
    }
}

#[async_trait]
impl JobHandler for Signaller {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "a transfer belongs to a participant".to_owned() });
        };
        let job: SignalJob = context.job.payload()?;
        let loaded = self.plane.store.begin(scope).load::<TransferRecord>(&job.transfer).await?;
        let Some(record) = loaded.map(heddle_store::Loaded::into_value) else { return Ok(Outcome::Done) };
        let Some(signal) = first_signal(&record, &job) else { return Ok(Outcome::Done) };
        if record.awaits_callback != job.overdue {
            return Ok(Outcome::Done);
        }
        let outcome = if job.overdue {
            Err(PlaneFailure::Broken(format!(
                "it has accepted the {} and not called back within {} s",
                signal.step,
                self.plane.patience.callbacks.as_secs()
            )))
        } else {
            match self.call(scope, &record, &signal).await {
                Ok(progress) => {
                    telling::sent(&About::from(&record.process), &format!("data flow {}", signal.step));
                    Ok(progress)
                }
                Err(trouble) => match trouble.judge(signal.step, job.attempts + 1) {
                    Verdict::Absent => Ok(Progress::Done(None)),
                    Verdict::Missed
                        if trouble.answered && self.has_stopped(scope, &record, signal.step).await =>
                    {
                        Ok(Progress::Done(None))
                    }
                    Verdict::Failed => Err(trouble.failure),
                    verdict => {
                        let missed = verdict == Verdict::Missed;
                        return self.again(context, scope, &job, &trouble, missed).await;
                    }
                },
            }
        };
        self.plane.signal_answered(scope, (&job.transfer, &job.message), outcome, Some(&context.job)).await
    }
}

/// The signal of the job, if it is its turn.
fn first_signal(record: &TransferRecord, job: &SignalJob) -> Option<Signal> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(class: RetryClass, absent: bool, step: DataPlaneStep, attempt: u32) -> Verdict {
        let trouble = Trouble { absent, ..Trouble::of_class("none".to_owned(), class) };
        trouble.judge(step, attempt)
    }

    #[test]
    fn a_stop_is_never_given_up_and_a_start_is() {
        let silent = RetryClass::Retry { after: None };
        for (class, last) in [(silent, 8), (RetryClass::RetryBriefly, 4), (RetryClass::Final, 1)] {
            for step in [DataPlaneStep::Prepare, DataPlaneStep::Start, DataPlaneStep::Resume] {
                assert_eq!(judged(class, false, step, last), Verdict::Failed, "{step} {class:?}");
                assert_eq!(judged(class, true, step, last), Verdict::Failed, "{step} {class:?}");
                assert!(last == 1 || judged(class, false, step, last - 1) == Verdict::Again);
            }
            for step in [DataPlaneStep::Suspend, DataPlaneStep::Complete, DataPlaneStep::Terminate] {
                for attempt in [last, last + 1, 1000] {
                    assert_eq!(judged(class, false, step, attempt), Verdict::Missed, "{step} {class:?}");
                }
            }
        }
    }

    #[test]
    fn a_flow_that_is_not_there_has_stopped_once_that_is_believed() {
        let stop = DataPlaneStep::Terminate;
        let attempts =
            [(1, Verdict::Again), (4, Verdict::Missed), (7, Verdict::Missed), (8, Verdict::Absent)];
        for (attempt, verdict) in attempts {
            assert_eq!(judged(RetryClass::RetryBriefly, true, stop, attempt), verdict, "{attempt}");
        }
        // A data plane that is not registered any more.
        assert_eq!(judged(RetryClass::Final, true, stop, 1), Verdict::Absent);
    }
}
