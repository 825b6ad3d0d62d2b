//! The jobs that make the credentials of a process and bring them to the holder (DCP 1.0 §6.5).
//!
//! [`DELIVER`]: places, signatures, and the credentials stored, in one commit; then the delivery, as often as it
//! takes. [`REJECT`]: tells a holder that there will be none. A job may run twice: the second run finds what the
//! first has stored.

mod message;
mod outcome;
mod preparation;
mod rejection;

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dcp::issuance::issuer::{Event, State};
use heddle_store::{ClaimedJob, JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::{JobScope, ParticipantScope};

use crate::{
    IssuerService,
    process::{IssuanceProcess, ProcessJob},
};
use outcome::{DeliveryError, again};

pub(crate) use rejection::Rejecter;

/// Makes and delivers the credentials of a process.
pub(crate) const DELIVER: &str = "issuance.deliver";
/// Tells the holder of a process that there will be no credentials.
pub(crate) const REJECT: &str = "issuance.reject";

/// Runs jobs of kind [`DELIVER`].
pub(crate) struct Deliverer(pub(crate) Arc<IssuerService>);

#[async_trait]
impl JobHandler for Deliverer {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "the job belongs to no participant context".to_owned() });
        };
        let ProcessJob { process } = context.job.payload()?;
        let delivered = match preparation::prepared(&self.0, scope, &process).await {
            Ok(Some(ready)) => message::deliver(&self.0, scope, &ready).await,
            Ok(None) => return Ok(Outcome::Done),
            Err(error) => Err(error),
        };
        match delivered {
            Ok(()) => self.settle(scope, &context.job, process.as_str(), Ok(())).await,
            Err(DeliveryError::Store(error)) => Err(error),
            Err(error) => match again(&error, &context.job, self.0.parts.environment.now()) {
                Some(after) => Ok(Outcome::Retry { error: error.to_string(), after }),
                None => self.settle(scope, &context.job, process.as_str(), Err(error)).await,
            },
        }
    }
}

impl Deliverer {
    /// Writes down what came of it, and whom to tell.
    async fn settle(
        &self,
        scope: &ParticipantScope,
        job: &ClaimedJob,
        id: &str,
        delivered: Result<(), DeliveryError>,
    ) -> Result<Outcome, StoreError> {
        let mut transaction = self.0.parts.store.begin(scope);
        let Some(process) = transaction.load::<IssuanceProcess>(id).await? else { return Ok(Outcome::Done) };
        let now = transaction.now();
        let next = match &delivered {
            Ok(()) => process.after(Event::Delivered, now),
            Err(error) => process.after(Event::Fail, now).map(|failed| failed.because(&error.to_string())),
        };
        let Ok(next) = next else { return Ok(Outcome::Done) };
        transaction.complete(job);
        if next.state != process.state {
            transaction.save(&process, &next);
            next.tell(&mut transaction, scope.participant());
        }
        if next.state == State::Errored {
            transaction.enqueue(next.job(REJECT));
        }
        transaction.commit().await?;
        if next.state == State::Delivered {
            metrics::counter!("heddle_credentials_issued_total").increment(next.credentials.len() as u64);
        }
        Ok(Outcome::Completed)
    }
}
