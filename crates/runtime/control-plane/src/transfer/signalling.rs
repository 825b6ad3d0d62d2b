//! Signals data planes.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dsp::transfer::DataPlaneStep;
use heddle_outbound::{OutboundError, Request, Response};
use heddle_store::{Backoff, JobContext, JobHandler, Outcome, StoreError};
use heddle_telemetry::spans;
use heddle_tenancy::{JobScope, ParticipantScope};
use tracing::Instrument;

use super::{
    TransferRecord, address,
    plane_client::{self, Progress},
    plane_failure::PlaneFailure,
    plane_token::TokenError,
    record::Signal,
    signals::SignalJob,
    trouble::{Trouble, Verdict},
};
use crate::{
    ControlPlane,
    model::DataPlane,
    patience::WAIT_MAX,
    telling::{self, About},
};

/// Runs `transfer.signal`.
pub(super) struct Signaller {
    plane: Arc<ControlPlane>,
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
        let name = format!("dps.{}", signal.step);
        let span = spans::part(&name, scope.participant().as_str(), None);
        let answer = self.ask(scope, &plane, request).instrument(span).await?;
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
