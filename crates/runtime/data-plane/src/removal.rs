//! Removal of a participant from this plane. Its registered control planes go at once, and with them the leave to
//! signal and to set sources; its flows open nothing any more. A job then takes away everything that is kept for it,
//! a batch at a time. Until that is done every request for it is refused, so nobody finds what is left.
//!
//! Why nothing comes in behind the job: whatever makes a source or a flow does so in one commit with the check that a
//! control plane of the participant is still registered ([`DataPlane::hold_registration`]).

use std::sync::Arc;

use async_trait::async_trait;
use heddle_dps::State;
use heddle_ids::ParticipantContextId;
use heddle_store::{Aggregate, JobContext, JobHandler, NewJob, Outcome, Query, StoreError, Transaction};
use heddle_tenancy::{JobScope, ParticipantScope};
use heddle_vault::VaultError;
use serde::{Deserialize, Serialize};

use crate::{
    DataPlane, aliases,
    blob::{BlobError, BlobOwner},
    control_planes::RegisteredControlPlane,
    flow::FlowRecord,
    source::Source,
};

/// The kind of the jobs that take away.
pub(crate) const SWEEP: &str = "data-plane.sweep";
/// Rows of one kind that one commit takes away.
pub(crate) const BATCH_ROWS: u32 = 200;

/// That a participant is being removed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Removal {
    id: ParticipantContextId,
    /// The control planes that were registered, whose secrets are to go.
    control_planes: Vec<String>,
}

impl Removal {
    /// Whether this control plane was registered until the removal began.
    pub(crate) fn had(&self, control_plane: &str) -> bool {
        self.control_planes.iter().any(|id| id == control_plane)
    }
}

impl Aggregate for Removal {
    const KIND: &'static str = "data-plane-removal";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}

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
    /// Begins to remove the participant; the rest follows.
    pub(crate) async fn begin_removal(&self, scope: &ParticipantScope) -> Result<Begun, StoreError> {
        let mut transaction = self.store.begin(scope);
        let id = scope.participant();
        if transaction.load::<Removal>(id.as_str()).await?.is_some() {
            return Ok(Begun::UnderWay);
        }
        let planes = transaction.list::<RegisteredControlPlane>(&Query::default()).await?;
        let one = Query { limit: 1, ..Query::default() };
        if planes.is_empty()
            && transaction.list::<Source>(&one).await?.is_empty()
            && transaction.list::<FlowRecord>(&one).await?.is_empty()
        {
            return Ok(Begun::Nothing);
        }
        planes.iter().for_each(|plane| transaction.delete(plane));
        let control_planes = planes.iter().map(|plane| plane.id.clone()).collect();
        let removal = Removal { id: id.clone(), control_planes };
        transaction.insert(&removal);
        transaction.audit("data-plane.participant.remove", id.as_str());
        transaction.enqueue(NewJob::new(SWEEP, format!("data-plane-participant/{id}"), &removal));
        match transaction.commit().await {
            // Somebody else has begun it at the same moment.
            Err(StoreError::Duplicate { kind, .. }) if kind == Removal::KIND => return Ok(Begun::UnderWay),
            other => other?,
        }
        // The job ends the flows for everybody; here nothing opens from this moment on.
        self.table.end_all_of(id);
        removal.control_planes.iter().for_each(|plane| self.callback_tokens.forget(scope, plane));
        Ok(Begun::UnderWay)
    }

    /// The removal of the participant, while it is under way.
    pub(crate) async fn removal(&self, scope: &ParticipantScope) -> Result<Option<Removal>, StoreError> {
        let loaded = self.store.begin(scope).load::<Removal>(scope.participant().as_str()).await?;
        Ok(loaded.map(heddle_store::Loaded::into_value))
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
    async fn sweep(&self, scope: &ParticipantScope, removal: &Removal) -> Result<(), SweepError> {
        while self.end_flows(scope).await? + self.drop_flows(scope).await? > 0 {}
        while self.drop_sources(scope).await? > 0 {}
        self.blobs.delete_all(&BlobOwner::from(scope)).await?;
        for plane in &removal.control_planes {
            self.vault.delete_secret(scope, &aliases::client_secret(plane)).await?;
        }
        Ok(())
    }

    /// Takes a batch of ended flows away; how many there were.
    async fn drop_flows(&self, scope: &ParticipantScope) -> Result<usize, SweepError> {
        let mut transaction = self.store.begin(scope);
        let over = State::ALL.into_iter().filter(|state| state.is_terminal());
        let states = over.map(|state| state.as_str().into()).collect();
        let flows = transaction.list::<FlowRecord>(&Query { states, ..batch() }).await?;
        for flow in &flows {
            for handle in &flow.addresses {
                let alias = aliases::flow_address(flow.flow.id(), handle);
                self.vault.delete_secret(scope, &alias).await?;
            }
            transaction.cancel_jobs(flow.order_key());
            transaction.delete(flow);
        }
        transaction.commit().await?;
        Ok(flows.len())
    }

    /// Takes a batch of sources away; how many there were.
    async fn drop_sources(&self, scope: &ParticipantScope) -> Result<usize, SweepError> {
        let mut transaction = self.store.begin(scope);
        let sources = transaction.list::<Source>(&batch()).await?;
        for source in &sources {
            if source.origin.is_authorized() {
                let alias = aliases::origin_authorization(&source.dataset);
                self.vault.delete_secret(scope, &alias).await?;
            }
            transaction.delete(source);
        }
        transaction.commit().await?;
        sources.iter().for_each(|source| self.table.forget_source(scope.participant(), &source.dataset));
        Ok(sources.len())
    }
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
        let removal = self.0.removal(scope).await?;
        let Some(removal) = removal else { return Ok(Outcome::Done) };
        match self.0.sweep(scope, &removal).await {
            Ok(()) => {}
            Err(SweepError::Store(error) | SweepError::Vault(VaultError::Store(error))) => return Err(error),
            Err(error) => return Ok(Outcome::Retry { error: error.to_string(), after: None }),
        }
        let mut transaction = self.0.store.begin(scope);
        if let Some(removal) = transaction.load::<Removal>(scope.participant().as_str()).await? {
            transaction.delete(&removal);
        }
        transaction.complete(&context.job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}
