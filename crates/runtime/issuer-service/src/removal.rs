//! Removal of an issuer: of all that this service keeps for a participant context. It stops issuing at once; a job
//! then takes everything away, a batch at a time, its published status lists among it. Until that is done requests for
//! it are refused, so that nobody finds what is left. Why nothing comes in behind the job: see `standing`.
//!
//! Deliberately absent: the participant context itself, which the credential service has. Whoever disposes of one asks
//! both; here it may come first, last or twice.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_ids::ParticipantContextId;
use heddle_store::{
    Aggregate, JobContext, JobHandler, Loaded, NewJob, Outcome, Query, StoreError, Transaction,
};
use heddle_tenancy::{JobScope, ParticipantScope};

use crate::{
    IssuerService,
    attestation::{Attestation, AttestationRecord},
    credential::IssuedCredential,
    definition::{self, CredentialDefinition},
    holder::Holder,
    process::IssuanceProcess,
    standing::Standing,
    status_list::{STATUS_LIST, StatusListRecord},
};

/// The kind of the jobs that take away.
pub(crate) const SWEEP: &str = "issuer.sweep";
/// Rows of one kind that one commit takes away.
const BATCH_ROWS: u32 = 200;

/// What became of the wish to remove an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It is under way, since now or since earlier.
    UnderWay,
    /// There is nothing to remove.
    Nothing,
}

impl IssuerService {
    /// Begins to remove the issuer, or goes on with it; the rest follows.
    pub(crate) async fn begin_removal(&self, scope: &ParticipantScope) -> Result<Begun, StoreError> {
        loop {
            match self.try_removal(scope).await {
                // Something was made for it for the first time, or its removal begun, at the same moment.
                Err(error) if Standing::collided(&error) => {}
                other => return other,
            }
        }
    }

    async fn try_removal(&self, scope: &ParticipantScope) -> Result<Begun, StoreError> {
        let (store, id) = (&self.parts.store, scope.participant());
        let mut transaction = store.begin(scope);
        let known = transaction.load::<Standing>(id.as_str()).await?;
        if known.as_ref().is_some_and(|known| known.leaving) {
            // The job may have failed so often that it was set aside; whoever asks again wants it to go on.
            enqueue_sweep(&mut transaction, id);
            transaction.commit().await?;
            return Ok(Begun::UnderWay);
        }
        // Only looked at: this transaction is never committed.
        let nothing = take_away(&mut store.begin(scope), id, 1).await? == 0;
        if nothing {
            known.iter().for_each(|known| transaction.delete(known));
            transaction.commit().await?;
            return Ok(Begun::Nothing);
        }
        let leaving = Standing { id: id.clone(), leaving: true };
        match &known {
            Some(known) => transaction.save(known, &leaving),
            None => transaction.insert(&leaving),
        }
        definition::conceal(&mut transaction, id);
        transaction.audit("issuer.remove", id.as_str());
        enqueue_sweep(&mut transaction, id);
        transaction.commit().await?;
        Ok(Begun::UnderWay)
    }
}

/// Enqueues the job anew, in place of one that waits or was set aside. One that runs stays; the new one, after it,
/// finds nothing to do.
fn enqueue_sweep(transaction: &mut Transaction<'_>, issuer: &ParticipantContextId) {
    let order_key = format!("issuer/{issuer}");
    transaction.cancel_jobs(order_key.as_str());
    transaction.enqueue(NewJob::new(SWEEP, order_key, &()));
}

/// Takes up to `limit` rows of every kind away in the caller's commit; how many there were.
async fn take_away(
    transaction: &mut Transaction<'_>,
    issuer: &ParticipantContextId,
    limit: u32,
) -> Result<usize, StoreError> {
    let definitions = rows::<CredentialDefinition>(transaction, limit).await?;
    for one in &definitions {
        definition::conceal_schema(transaction, issuer, one);
    }
    let lists = rows::<StatusListRecord>(transaction, limit).await?;
    for list in &lists {
        transaction.withdraw(STATUS_LIST, list.id.as_str());
        transaction.cancel_jobs(list.order_key());
    }
    let processes = rows::<IssuanceProcess>(transaction, limit).await?;
    for process in &processes {
        transaction.cancel_jobs(process.order_key());
    }
    Ok(drop_rows(transaction, &definitions)
        + drop_rows(transaction, &lists)
        + drop_rows(transaction, &processes)
        + drop_every::<IssuedCredential>(transaction, limit).await?
        + drop_every::<AttestationRecord>(transaction, limit).await?
        + drop_every::<Attestation>(transaction, limit).await?
        + drop_every::<Holder>(transaction, limit).await?
        + definition::drop_offering(transaction, issuer).await?)
}

async fn rows<A: Aggregate>(
    transaction: &mut Transaction<'_>,
    limit: u32,
) -> Result<Vec<Loaded<A>>, StoreError> {
    transaction.list(&Query { limit, ..Query::default() }).await
}

fn drop_rows<A: Aggregate>(transaction: &mut Transaction<'_>, rows: &[Loaded<A>]) -> usize {
    rows.iter().for_each(|row| transaction.delete(row));
    rows.len()
}

async fn drop_every<A: Aggregate>(
    transaction: &mut Transaction<'_>,
    limit: u32,
) -> Result<usize, StoreError> {
    let rows = rows::<A>(transaction, limit).await?;
    Ok(drop_rows(transaction, &rows))
}

/// Runs [`SWEEP`].
pub(crate) struct Sweeper(pub(crate) Arc<IssuerService>);

#[async_trait]
impl JobHandler for Sweeper {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "the job belongs to no participant context".to_owned() });
        };
        let id = scope.participant();
        loop {
            let mut transaction = self.0.parts.store.begin(scope);
            // Each batch is of the issuer that is being removed, never of one that came after it.
            let standing = transaction.load::<Standing>(id.as_str()).await?;
            let Some(standing) = standing.filter(|standing| standing.leaving) else {
                return Ok(Outcome::Done);
            };
            if take_away(&mut transaction, id, BATCH_ROWS).await? == 0 {
                transaction.delete(&standing);
                transaction.complete(&context.job);
                transaction.commit().await?;
                return Ok(Outcome::Completed);
            }
            transaction.check(&standing);
            transaction.commit().await?;
        }
    }
}
