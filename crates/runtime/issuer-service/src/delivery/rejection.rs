//! Telling a holder that its request came to nothing, so that it need not wait (DCP 1.0 §6.5.1).

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dcp::{issuance::issuer::State, wire::CredentialMessage};
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::JobScope;

use super::message;
use crate::{
    IssuerService,
    process::{IssuanceProcess, ProcessJob},
};

/// Attempts to tell. The process has ended either way, and the holder can ask for its status.
const ATTEMPTS_MAX: u32 = 3;
/// What the holder is told; the reason is for the issuer.
const REASON: &str = "The credentials could not be issued.";

/// Runs jobs of kind [`super::REJECT`].
pub(crate) struct Rejecter(pub(crate) Arc<IssuerService>);

#[async_trait]
impl JobHandler for Rejecter {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "the job belongs to no participant context".to_owned() });
        };
        let ProcessJob { process } = context.job.payload()?;
        let store = &self.0.parts.store;
        let process = store.begin(scope).load::<IssuanceProcess>(process.as_str()).await?;
        let Some(process) = process.filter(|process| process.state == State::Errored) else {
            return Ok(Outcome::Done);
        };
        let message = CredentialMessage::rejected(process.id.clone(), process.holder_pid.clone(), REASON);
        if let Err(error) = message::send(&self.0, scope, &process, &message).await {
            if context.job.attempts + 1 < ATTEMPTS_MAX {
                return Ok(Outcome::Retry { error: error.to_string(), after: None });
            }
            tracing::info!(component = "issuer-service", action = "reject",
                counter_party_id = %process.holder_did, process_id = %process.id, %error,
                "the holder could not be told of a rejection");
        }
        let mut transaction = store.begin(scope);
        transaction.save(&process, &IssuanceProcess { access_token: None, ..process.value().clone() });
        transaction.complete(&context.job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}
