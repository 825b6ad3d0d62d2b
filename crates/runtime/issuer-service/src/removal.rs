//! Removal of an issuer: of all that this service keeps for a participant context. It stops issuing at once; a job
//! then takes everything away, a batch at a time, its published status lists among it. Until that is done requests for
//! it are refused, so that nobody finds what is left.
//!
//! Deliberately absent: the participant context itself, which the credential service has. Whoever disposes of one asks
//! both; here it may come first, last or twice.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_ids::ParticipantContextId;
use heddle_store::{
    Aggregate, JobContext, JobHandler, Loaded, NewJob, Outcome, Query, StoreError, Transaction,
};
use heddle_tenancy::{JobScope, ParticipantScope, Scope};
use serde::{Deserialize, Serialize};

use crate::{
    IssuerService,
    attestation::{Attestation, AttestationRecord},
    credential::IssuedCredential,
    definition::{self, CredentialDefinition},
    holder::Holder,
    process::IssuanceProcess,
    status_list::{STATUS_LIST, StatusListRecord},
};

/// The kind of the jobs that take away.
pub(crate) const SWEEP: &str = "issuer.sweep";
/// Rows of one kind that one commit takes away.
const BATCH_ROWS: u32 = 200;

/// That an issuer is being removed.
#[derive(Debug, Serialize, Deserialize)]
struct Removal {
    id: ParticipantContextId,
}

impl Aggregate for Removal {
    const KIND: &'static str = "issuer-removal";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

/// What became of the wish to remove an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It is under way, since now or since earlier.
    UnderWay,
    /// There is nothing to remove.
    Nothing,
}

impl IssuerService {
    /// Begins to remove the issuer; the rest follows.
    pub(crate) async fn begin_removal(&self, scope: &ParticipantScope) -> Result<Begun, StoreError> {
        if self.is_being_removed(scope, scope.participant()).await? {
            return Ok(Begun::UnderWay);
        }
        let mut transaction = self.parts.store.begin(scope);
        if take_away(&mut transaction, scope.participant(), 1).await? == 0 {
            return Ok(Begun::Nothing);
        }
        let mut transaction = self.parts.store.begin(scope);
        let removal = Removal { id: scope.participant().clone() };
        transaction.insert(&removal);
        definition::conceal(&mut transaction, scope.participant());
        transaction.audit("issuer.remove", removal.id.as_str());
        transaction.enqueue(NewJob::new(SWEEP, format!("issuer/{}", removal.id), &removal));
        match transaction.commit().await {
            // Somebody else has begun it at the same moment.
            Err(StoreError::Duplicate { kind, .. }) if kind == Removal::KIND => Ok(Begun::UnderWay),
            other => other.map(|()| Begun::UnderWay),
        }
    }

    /// Whether the issuer that `scope` opens, or is narrowed from, is being removed.
    pub(crate) async fn is_being_removed(
        &self,
        scope: &dyn Scope,
        issuer: &ParticipantContextId,
    ) -> Result<bool, StoreError> {
        Ok(self.parts.store.begin(scope).load::<Removal>(issuer.as_str()).await?.is_some())
    }
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
        + definition::drop_offering(transaction).await?)
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
        let store = &self.0.parts.store;
        loop {
            let mut transaction = store.begin(scope);
            if take_away(&mut transaction, scope.participant(), BATCH_ROWS).await? == 0 {
                break;
            }
            transaction.commit().await?;
        }
        let mut transaction = store.begin(scope);
        if let Some(removal) = transaction.load::<Removal>(scope.participant().as_str()).await? {
            transaction.delete(&removal);
        }
        transaction.complete(&context.job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}
