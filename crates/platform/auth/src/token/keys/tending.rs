//! The job that tends the signing keys: it begins a rotation when the newest key is old enough, and destroys the keys
//! whose last token has expired. There is one such job; each run enqueues the next in its own commit, and so does
//! whoever rotates by hand.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_store::{JobContext, JobHandler, NewJob, Outcome, StoreError, Transaction};
use heddle_vault::VaultError;

use super::{
    SigningKeys, load_in,
    row::{TokenKey, TokenKeys},
};
use crate::{OldKey, TokenServiceError};

/// The kind of the jobs.
pub(crate) const TEND: &str = "token-keys.tend";
const ORDER_KEY: &str = "token-keys";
/// How long a job may be overdue before a start enqueues it anew: it was set aside, after it had failed for long.
const OVERDUE_MAX: Duration = Duration::from_secs(24 * 3600);

/// Runs jobs of kind [`TEND`].
pub(crate) struct Tender(pub(crate) Arc<SigningKeys>);

#[async_trait]
impl JobHandler for Tender {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let mut transaction = self.0.store.begin(&self.0.operator);
        transaction.complete(&context.job);
        match self.0.tend(transaction).await {
            Ok(()) => Ok(Outcome::Completed),
            Err(TokenServiceError::Store(error)) => Err(error),
            Err(error @ TokenServiceError::Vault(_)) => {
                Ok(Outcome::Retry { error: error.to_string(), after: None })
            }
        }
    }
}

impl SigningKeys {
    /// Does what is due, in the commit of `transaction`.
    async fn tend(&self, mut transaction: Transaction<'_>) -> Result<(), TokenServiceError> {
        let now = transaction.now();
        let Some(row) = load_in(&mut transaction).await? else {
            return Ok(transaction.commit().await?);
        };
        let mut next = row.value().clone();
        let ended = next.take_ended(now);
        let is_old = next.keys.last().is_some_and(|key| key.created_at + self.every <= now);
        if is_old {
            self.succeed(&mut transaction, &mut next, OldKey::Retired).await?;
        }
        schedule(&mut transaction, &mut next, self.every);
        transaction.save(&row, &next);
        transaction.commit().await?;
        self.learn(&next, now);
        // They sign nothing any more; one that a vault keeps after all is in no row, and opens nothing.
        Ok(self.destroy(&ended).await?)
    }

    /// Makes sure that the job is there, and due when it should be: after a first start, after another age was set, and
    /// when it was set aside. Several replicas may do so at once.
    pub(crate) async fn ensure_tended(&self) -> Result<(), TokenServiceError> {
        let mut transaction = self.store.begin(&self.operator);
        let now = transaction.now();
        let Some(row) = load_in(&mut transaction).await? else { return Ok(()) };
        let due = row.due_at(self.every);
        let is_overdue = row.tended_at.is_some_and(|at| at + OVERDUE_MAX <= now);
        if row.tended_at == due && !is_overdue {
            return Ok(());
        }
        let mut next = row.value().clone();
        schedule(&mut transaction, &mut next, self.every);
        transaction.save(&row, &next);
        match transaction.commit().await {
            // Another replica does the same.
            Err(StoreError::Stale { .. }) => Ok(()),
            result => Ok(result?),
        }
    }

    pub(super) async fn destroy(&self, keys: &[TokenKey]) -> Result<(), VaultError> {
        for key in keys {
            self.vault.delete_key(&self.operator, &key.kid).await?;
        }
        Ok(())
    }
}

/// Enqueues the job in place of the one that waits.
pub(super) fn schedule(transaction: &mut Transaction<'_>, row: &mut TokenKeys, every: Duration) {
    row.tended_at = row.due_at(every);
    transaction.cancel_jobs(ORDER_KEY);
    let due: Timestamp = row.tended_at.unwrap_or_else(|| transaction.now());
    transaction.enqueue(NewJob::new(TEND, ORDER_KEY, &()).due_at(due));
}
