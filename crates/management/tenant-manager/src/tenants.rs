//! Deleting tenants.

use std::borrow::Cow;

use heddle_store::{LIST_ROWS_MAX, Query, Transaction};
use heddle_tenancy::TenantScope;

use crate::{
    TenantManager,
    error::Refusal,
    model::{DeploymentState, ParticipantProfile, Tenant},
};

impl TenantManager {
    /// Deletes the tenant, with what is left of its disposed participant profiles. Other profiles stand in the way.
    ///
    /// In two steps: once it is marked, an order under way for a new profile fails at its commit; so a second look sees
    /// every profile that there will ever be. An attempt that is broken off between the two is finished by the next.
    pub(crate) async fn delete_tenant(&self, scope: &TenantScope) -> Result<(), Refusal> {
        self.mark_closing(scope).await?;
        let id = scope.tenant().as_str();
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<Tenant>(id).await?.ok_or(Refusal::NotFound)?;
        if has_participants(&mut transaction).await? {
            transaction.save(&loaded, &Tenant { closing: false, ..loaded.value().clone() });
            transaction.commit().await?;
            return Err(Refusal::HasParticipants);
        }
        delete_profiles(&mut transaction).await?;
        transaction.delete(&loaded);
        transaction.withdraw(Tenant::DIRECTORY, id);
        transaction.commit().await?;
        metrics::counter!("heddle_tenant_changes_total", "change" => "deleted").increment(1);
        tracing::info!(
            component = "tenant-manager",
            action = "tenant.deleted",
            tenant_id = id,
            "a tenant was deleted"
        );
        Ok(())
    }

    async fn mark_closing(&self, scope: &TenantScope) -> Result<(), Refusal> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<Tenant>(scope.tenant().as_str()).await?.ok_or(Refusal::NotFound)?;
        if loaded.closing {
            return Ok(());
        }
        if has_participants(&mut transaction).await? {
            return Err(Refusal::HasParticipants);
        }
        transaction.save(&loaded, &Tenant { closing: true, ..loaded.value().clone() });
        Ok(transaction.commit().await?)
    }
}

async fn has_participants(transaction: &mut Transaction<'_>) -> Result<bool, Refusal> {
    let live = DeploymentState::ALL.into_iter().filter(|state| *state != DeploymentState::Disposed);
    let states = live.map(|state| Cow::Borrowed(state.name())).collect();
    let query = Query { states, ..Query::default() };
    Ok(transaction.count::<ParticipantProfile>(&query).await? > 0)
}

async fn delete_profiles(transaction: &mut Transaction<'_>) -> Result<(), Refusal> {
    let mut query = Query::default();
    loop {
        let page = transaction.list::<ParticipantProfile>(&query).await?;
        for profile in &page {
            transaction.delete(profile);
        }
        if page.len() < LIST_ROWS_MAX as usize {
            return Ok(());
        }
        query.offset += LIST_ROWS_MAX;
    }
}
