//! Ordering and ending participant profiles: what is decided goes into the caller's transaction.

use heddle_store::{DirectoryRow, Loaded, Order as By, Query, StoreError, Transaction};
use heddle_tenancy::TenantScope;
use serde::Serialize;

use crate::{
    TenantManager,
    deployment::{self, NewIds, Order, Place},
    error::Refusal,
    events,
    manifest::{self, DEPLOY, DISPOSE},
    model::{Cell, DataspaceProfile, DeploymentState, ParticipantProfile, Tenant},
};

/// The value of directory rows whose key says it all.
#[derive(Serialize)]
pub(crate) struct Nothing {}

/// Everything of a kind, oldest first.
pub(crate) fn oldest_first() -> Query {
    Query { order: By::CreatedAscending, ..Query::default() }
}

impl TenantManager {
    /// Makes the profile that is ordered, and orders its provisioning.
    pub(crate) async fn order_profile(
        &self,
        scope: &TenantScope,
        transaction: &mut Transaction<'_>,
        (order, place): (Order, Result<Place, Refusal>),
    ) -> Result<ParticipantProfile, Refusal> {
        let tenant = transaction.load::<Tenant>(scope.tenant().as_str()).await?.ok_or(Refusal::NotFound)?;
        if tenant.closing {
            return Err(Refusal::TenantClosing);
        }
        // Whoever deletes the tenant meanwhile wins.
        transaction.check(&tenant);
        let identifier = order.identifier.clone();
        if self.store.lookup(ParticipantProfile::DIRECTORY, identifier.as_str()).await?.is_some() {
            return Err(Refusal::IdentifierTaken(identifier));
        }
        let place = place?;
        let ids = NewIds::random(&self.environment);
        let profile = deployment::profile(order, scope.tenant().clone(), place, ids, transaction.now());
        transaction.insert(&profile);
        transaction.publish(DirectoryRow::new(
            ParticipantProfile::DIRECTORY,
            identifier.as_str(),
            &Nothing {},
        ));
        transaction.emit(events::moved(&profile));
        transaction.enqueue(manifest::order(&profile, DEPLOY));
        Ok(profile)
    }

    /// Where an order goes. It reads a moment of its own, so it is asked for before the tenant's transaction begins.
    pub(crate) async fn place(&self, order: &Order) -> Result<Place, Refusal> {
        let installation = self.installation();
        let mut transaction = self.store.begin(&installation);
        let dataspaces = transaction.list::<DataspaceProfile>(&oldest_first()).await?;
        let cells = transaction.list::<Cell>(&oldest_first()).await?;
        let dataspaces = dataspaces.into_iter().map(Loaded::into_value).collect();
        let cells = cells.into_iter().map(Loaded::into_value).collect();
        Ok(deployment::place(order, dataspaces, cells)?)
    }

    /// Orders that all of a profile ends. One that has failed may be tried again: what is gone already is no trouble.
    pub(crate) async fn dispose_of_profile(&self, scope: &TenantScope, id: &str) -> Result<(), Refusal> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<ParticipantProfile>(id).await?.ok_or(Refusal::NotFound)?;
        let state = loaded.state();
        if !matches!(state, DeploymentState::Active | DeploymentState::Error) {
            return Err(Refusal::NotActive(state));
        }
        let mut profile = loaded.value().clone();
        profile.enter(DeploymentState::Disposing, transaction.now());
        profile.orchestration = deployment::new_orchestration(&self.environment);
        transaction.save(&loaded, &profile);
        transaction.enqueue(manifest::order(&profile, DISPOSE));
        match transaction.commit().await {
            Ok(()) => {}
            // Somebody else was faster, and whatever that was, it is not active any more.
            Err(StoreError::Stale { .. }) => return Err(Refusal::NotActive(DeploymentState::Disposing)),
            Err(error) => return Err(error.into()),
        }
        note(&profile);
        Ok(())
    }
}

/// Says that the agents of a profile have a new state.
pub(crate) fn note(profile: &ParticipantProfile) {
    let state = profile.state().name();
    metrics::counter!("heddle_vpa_moves_total", "state" => state).increment(profile.vpas.len() as u64);
    tracing::info!(
        component = "tenant-manager",
        action = format!("participant.profile.{state}"),
        tenant_id = %profile.tenant_id,
        participant_context_id = events::context_of(profile),
        participant_profile_id = %profile.id,
        orchestration_id = %profile.orchestration,
        reason = profile.error_detail.as_deref(),
        "a participant profile moved"
    );
}
