//! Removal of a participant context. The context and its directory row go at once, so that nobody reaches it any
//! more; a job then takes away everything that it kept, a batch at a time. Until that is done, nobody can make a
//! context of the same id, who would find what is left.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_ids::ParticipantContextId;
use heddle_store::{
    Aggregate, Answer, JobContext, JobHandler, Loaded, NewEvent, NewJob, Outcome, Query, StoreError,
    Transaction, Worker,
};
use heddle_tenancy::JobScope;
use serde::{Deserialize, Serialize};

use crate::{
    ControlPlane,
    model::{Agreement, Asset, ContractDefinition, DataPlane, ParticipantContext, PolicyDefinition},
    negotiation::NegotiationRecord,
    trace::Denial,
    transfer::TransferRecord,
};

/// The kind of the jobs that take away.
const SWEEP: &str = "participant.sweep";
/// The event of a removal: it ends the feeds of the context, so that none of them tells of a context that comes after it
/// under the same id.
pub(crate) const REMOVED: &str = "participant.removed";
/// Rows of one kind that one commit takes away.
const BATCH_ROWS: u32 = 500;

/// That a context is being removed.
#[derive(Debug, Serialize, Deserialize)]
struct Removal {
    id: ParticipantContextId,
    /// Its secrets.
    secrets: Vec<String>,
}

impl Aggregate for Removal {
    const KIND: &'static str = "participant-removal";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Removed<'a> {
    participant_context_id: &'a ParticipantContextId,
}

/// Removes a context; the rest follows.
pub(crate) fn begin(transaction: &mut Transaction<'_>, context: &Loaded<ParticipantContext>) {
    transaction.delete(context);
    transaction.withdraw(ParticipantContext::DIRECTORY, context.id.as_str());
    transaction.audit("participant.remove", context.id.as_str());
    let payload = Removed { participant_context_id: &context.id };
    transaction.emit(NewEvent::new(REMOVED, context.id.as_str(), &payload));
    let secrets =
        context.private_entries.iter().map(|name| ParticipantContext::private_alias(name)).collect();
    transaction.insert(&Removal { id: context.id.clone(), secrets });
    enqueue_sweep(transaction, &context.id);
}

/// Lets a removal that is under way go on, whose job may have failed so often that it was set aside.
pub(crate) async fn go_on(
    transaction: &mut Transaction<'_>,
    id: &ParticipantContextId,
) -> Result<(), StoreError> {
    if transaction.load::<Removal>(id.as_str()).await?.is_some() {
        enqueue_sweep(transaction, id);
    }
    Ok(())
}

/// Enqueues the job anew, in place of one that waits or was set aside.
fn enqueue_sweep(transaction: &mut Transaction<'_>, id: &ParticipantContextId) {
    let order_key = format!("participant/{id}");
    transaction.cancel_jobs(order_key.as_str());
    transaction.enqueue(NewJob::new(SWEEP, order_key, &()));
}

/// Fails with `Duplicate` while a context of this id is being removed.
pub(crate) async fn check_vacant(
    transaction: &mut Transaction<'_>,
    id: &ParticipantContextId,
) -> Result<(), StoreError> {
    match transaction.load::<Removal>(id.as_str()).await? {
        None => Ok(()),
        Some(_) => Err(StoreError::Duplicate { kind: Removal::KIND.to_owned(), id: id.to_string() }),
    }
}

/// Registers the job.
pub(crate) fn jobs(plane: &Arc<ControlPlane>, worker: Worker) -> Worker {
    worker.handle(SWEEP, Arc::new(Sweeper { plane: plane.clone() }))
}

struct Sweeper {
    plane: Arc<ControlPlane>,
}

#[async_trait]
impl JobHandler for Sweeper {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "a removal belongs to a participant".to_owned() });
        };
        let mut transaction = self.plane.store.begin(scope);
        let Some(removal) = transaction.load::<Removal>(scope.participant().as_str()).await? else {
            return Ok(Outcome::Done);
        };
        let planes = transaction.list::<DataPlane>(&Query::default()).await?;
        // The vault may need a connection of its own.
        drop(transaction);
        let secrets = planes.iter().map(|plane| DataPlane::secret_alias(&plane.id));
        for alias in secrets.chain(removal.secrets.iter().cloned()) {
            if let Err(error) = self.plane.vault.delete_secret(scope, &alias).await {
                return Ok(Outcome::Retry { error: error.to_string(), after: None });
            }
        }
        loop {
            let mut transaction = self.plane.store.begin(scope);
            let rows = take_away::<Asset>(&mut transaction).await?
                + take_away::<PolicyDefinition>(&mut transaction).await?
                + take_away::<ContractDefinition>(&mut transaction).await?
                + take_away::<DataPlane>(&mut transaction).await?
                + take_away::<TransferRecord>(&mut transaction).await?
                + take_away::<NegotiationRecord>(&mut transaction).await?
                + take_away::<Agreement>(&mut transaction).await?
                + take_away::<Denial>(&mut transaction).await?
                + take_away::<Answer>(&mut transaction).await?;
            if rows == 0 {
                break;
            }
            // What is taken away is of the context that was removed, never of one that came after it.
            transaction.check(&removal);
            transaction.commit().await?;
        }
        let mut transaction = self.plane.store.begin(scope);
        transaction.delete(&removal);
        transaction.complete(&context.job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}

async fn take_away<A: Aggregate>(transaction: &mut Transaction<'_>) -> Result<usize, StoreError> {
    let rows = transaction.list::<A>(&Query { limit: BATCH_ROWS, ..Query::default() }).await?;
    rows.iter().for_each(|row| transaction.delete(row));
    Ok(rows.len())
}
