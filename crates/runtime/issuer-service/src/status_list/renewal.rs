//! The job that signs a list again before its signature expires.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_ids::StatusListId;
use heddle_store::{JobContext, JobHandler, Outcome, StoreError};
use heddle_tenancy::JobScope;
use serde::{Deserialize, Serialize};

use super::{StatusListRecord, publish, signed};
use crate::{IssuerService, issuer::Issuer};

/// Signs a status list again.
pub(crate) const RENEW: &str = "status-list.renew";

/// The payload of [`RENEW`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RenewList {
    pub(super) list: StatusListId,
}

/// Runs jobs of kind [`RENEW`].
pub(crate) struct Renewer(pub(crate) Arc<IssuerService>);

#[async_trait]
impl JobHandler for Renewer {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "the job belongs to no participant context".to_owned() });
        };
        let payload: RenewList = context.job.payload()?;
        let parts = &self.0.parts;
        let record = parts.store.begin(scope).load::<StatusListRecord>(payload.list.as_str()).await?;
        let issuer = Issuer::find(&parts.store, scope.participant()).await?;
        let (Some(record), Some(issuer)) = (record, issuer) else { return Ok(Outcome::Done) };
        let vault = parts.vault.as_ref();
        let retry = |error: String| Outcome::Retry { error, after: None };
        let key = match issuer.signing_key(vault, scope).await {
            Ok(key) => key,
            Err(error) => return Ok(retry(error.to_string())),
        };
        let now = parts.environment.now();
        let list = match signed(&record, (&key, &parts.public_url), (vault, scope), now).await {
            Ok(list) => list,
            Err(error) => return Ok(retry(error.to_string())),
        };
        let mut transaction = parts.store.begin(scope);
        transaction.check(&record);
        transaction.complete(&context.job);
        publish(&mut transaction, &record, &list);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}
