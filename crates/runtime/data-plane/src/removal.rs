//! Removal of a participant from this plane. Its registered control planes go at once, and with them the leave to
//! signal and to set sources; this process opens none of its flows any more, and other replicas none of those that end
//! with the first batch. A job then takes away everything that is kept for it, a batch at a time. Until that is done
//! every request for it is refused, so nobody finds what is left.
//!
//! Why nothing comes in behind the job: whatever makes a source or a flow does so in one commit with the check that a
//! control plane of the participant is still registered ([`DataPlane::hold_registration`]), and whatever registers one
//! does so in one commit with the participant's [`Presence`].

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dps::State;
use heddle_store::{JobContext, JobHandler, Loaded, NewJob, Outcome, Query, StoreError, Transaction};
use heddle_tenancy::{JobScope, ParticipantScope};
use heddle_vault::VaultError;

use crate::{
    DataPlane, aliases,
    blob::{BlobError, BlobOwner},
    control_planes::RegisteredControlPlane,
    flow::FlowRecord,
    presence::{Presence, Stay},
    source::Source,
};

/// The kind of the jobs that take away.
pub(crate) const SWEEP: &str = "data-plane.sweep";
/// Rows of one kind that one commit takes away.
pub(crate) const BATCH_ROWS: u32 = 200;

/// What became of the wish to remove a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// It is under way, since now or since earlier.
    UnderWay,
    /// There is nothing to remove.
    Nothing,
}

/// Why what belongs to a removed participant is not away yet.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DataPlane {
    /// Begins to remove the participant, or goes on with it; the rest follows.
    pub(crate) async fn begin_removal(&self, scope: &ParticipantScope) -> Result<Begun, StoreError> {
        loop {
            match self.try_removal(scope).await {
                // It has been registered, or removed, at the same moment.
                Err(error) if Presence::collided(&error) => {}
                other => return other,
            }
        }
    }

    async fn try_removal(&self, scope: &ParticipantScope) -> Result<Begun, StoreError> {
        let (id, mut transaction) = (scope.participant(), self.store.begin(scope));
        let known = Presence::load(&mut transaction, id).await?;
        match known.as_ref().map(|known| &known.stay) {
            Some(Stay::Gone) => return Ok(Begun::Nothing),
            Some(Stay::Leaving { .. }) => {
                // The job may have failed so often that it was set aside; whoever asks again wants it to go on.
                enqueue_sweep(&mut transaction, scope);
                transaction.commit().await?;
                return Ok(Begun::UnderWay);
            }
            Some(Stay::Here) | None => {}
        }
        let planes = transaction.list::<RegisteredControlPlane>(&Query::default()).await?;
        let one = Query { limit: 1, ..Query::default() };
        if planes.is_empty()
            && transaction.list::<Source>(&one).await?.is_empty()
            && transaction.list::<FlowRecord>(&one).await?.is_empty()
        {
            Presence::put(&mut transaction, known.as_ref(), id, Stay::Gone);
            transaction.commit().await?;
            return Ok(Begun::Nothing);
        }
        planes.iter().for_each(|plane| transaction.delete(plane));
        let control_planes: Vec<_> = planes.iter().map(|plane| plane.id.clone()).collect();
        Presence::put(&mut transaction, known.as_ref(), id, Stay::Leaving { control_planes });
        transaction.audit("data-plane.participant.remove", id.as_str());
        enqueue_sweep(&mut transaction, scope);
        transaction.commit().await?;
        self.table.end_all_of(id);
        planes.iter().for_each(|plane| self.callback_tokens.forget(scope, &plane.id));
        // The job ends all flows; what ends here, other replicas need not wait for.
        if let Err(error) = self.end_flows(scope).await {
            tracing::info!(component = "data-plane", action = "participant.remove", participant_context_id = %id,
                %error, "the flows end with the job");
        }
        Ok(Begun::UnderWay)
    }

    /// Whether a control plane of the participant is registered at this moment.
    pub(crate) async fn is_registered(&self, scope: &ParticipantScope) -> Result<bool, StoreError> {
        self.hold_registration(&mut self.store.begin(scope), None).await
    }

    /// Makes the commit fail with `Stale` unless a control plane of the participant is still registered then; false
    /// when none is registered now.
    pub(crate) async fn hold_registration(
        &self,
        transaction: &mut Transaction<'_>,
        control_plane: Option<&str>,
    ) -> Result<bool, StoreError> {
        let held = match control_plane {
            Some(id) => transaction.load::<RegisteredControlPlane>(id).await?,
            None => {
                let any = Query { limit: 1, ..Query::default() };
                transaction.list::<RegisteredControlPlane>(&any).await?.pop()
            }
        };
        if let Some(held) = &held {
            transaction.check(held);
        }
        Ok(held.is_some())
    }

    /// Takes everything away. May be repeated after having been broken off anywhere: what is referred to goes before
    /// what refers to it.
    async fn sweep(&self, scope: &ParticipantScope, control_planes: &[String]) -> Result<(), SweepError> {
        while self.drop_planes(scope).await? > 0 {}
        while self.end_flows(scope).await? + self.drop_flows(scope).await? > 0 {}
        while self.drop_sources(scope).await? > 0 {}
        self.blobs.delete_all(&BlobOwner::from(scope)).await?;
        for plane in control_planes {
            self.vault.delete_secret(scope, &aliases::client_secret(plane)).await?;
        }
        Ok(())
    }

    /// Takes a batch of control planes away that the first commit had no room for; how many there were.
    async fn drop_planes(&self, scope: &ParticipantScope) -> Result<usize, SweepError> {
        let planes = self.store.begin(scope).list::<RegisteredControlPlane>(&batch()).await?;
        for plane in &planes {
            self.vault.delete_secret(scope, &aliases::client_secret(&plane.id)).await?;
        }
        let mut transaction = self.store.begin(scope);
        planes.iter().for_each(|plane| transaction.delete(plane));
        transaction.commit().await?;
        Ok(planes.len())
    }

    /// Takes a batch of ended flows away; how many there were. The vault may need a connection of its own, so none is
    /// held while it is asked.
    async fn drop_flows(&self, scope: &ParticipantScope) -> Result<usize, SweepError> {
        let over = State::ALL.into_iter().filter(|state| state.is_terminal());
        let states = over.map(|state| state.as_str().into()).collect();
        let query = Query { states, ..batch() };
        let flows = self.store.begin(scope).list::<FlowRecord>(&query).await?;
        for flow in &flows {
            for handle in &flow.addresses {
                let alias = aliases::flow_address(flow.flow.id(), handle);
                self.vault.delete_secret(scope, &alias).await?;
            }
        }
        let mut transaction = self.store.begin(scope);
        for flow in &flows {
            transaction.cancel_jobs(flow.order_key());
            transaction.delete(flow);
        }
        transaction.commit().await?;
        Ok(flows.len())
    }

    /// Takes a batch of sources away; how many there were.
    async fn drop_sources(&self, scope: &ParticipantScope) -> Result<usize, SweepError> {
        let sources = self.store.begin(scope).list::<Source>(&batch()).await?;
        for source in &sources {
            if source.origin.is_authorized() {
                let alias = aliases::origin_authorization(&source.dataset);
                self.vault.delete_secret(scope, &alias).await?;
            }
        }
        let mut transaction = self.store.begin(scope);
        sources.iter().for_each(|source| transaction.delete(source));
        transaction.commit().await?;
        sources.iter().for_each(|source| self.table.forget_source(scope.participant(), &source.dataset));
        Ok(sources.len())
    }
}

/// Enqueues the job anew, in place of one that waits or was set aside. One that runs stays; the new one, after it,
/// finds nothing to do.
fn enqueue_sweep(transaction: &mut Transaction<'_>, scope: &ParticipantScope) {
    let order_key = format!("data-plane-participant/{}", scope.participant());
    transaction.cancel_jobs(order_key.as_str());
    transaction.enqueue(NewJob::new(SWEEP, order_key, &()));
}

fn batch() -> Query {
    Query { limit: BATCH_ROWS, ..Query::default() }
}

/// Runs [`SWEEP`].
pub(crate) struct Sweeper(pub(crate) Arc<DataPlane>);

#[async_trait]
impl JobHandler for Sweeper {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "a removal belongs to a participant".to_owned() });
        };
        let Some(Stay::Leaving { control_planes }) = self.0.stay(scope).await? else {
            return Ok(Outcome::Done);
        };
        match self.0.sweep(scope, &control_planes).await {
            Ok(()) => {}
            Err(SweepError::Store(error) | SweepError::Vault(VaultError::Store(error))) => return Err(error),
            Err(error) => return Ok(Outcome::Retry { error: error.to_string(), after: None }),
        }
        let mut transaction = self.0.store.begin(scope);
        let known = Presence::load(&mut transaction, scope.participant()).await?;
        if known.as_ref().is_some_and(is_leaving) {
            Presence::put(&mut transaction, known.as_ref(), scope.participant(), Stay::Gone);
        }
        transaction.complete(&context.job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}

fn is_leaving(presence: &Loaded<Presence>) -> bool {
    matches!(presence.stay, Stay::Leaving { .. })
}
