//! What the control plane is built from.

use std::{fmt, sync::Arc};

use heddle_auth::{Authenticator, SelfIssuedTokens};
use heddle_clock::{Environment, Timestamp};
use heddle_ids::{ParticipantContextId, ProfileName};
use heddle_outbound::{DidResolver, Outbound};
use heddle_store::{Store, StoreError, Transaction, Worker};
use heddle_tenancy::{Recipient, ScopeIssuer, StaticPeers};
use heddle_vault::Vault;
use heddle_web::Shutdown;

use crate::{
    identity::Identity,
    model::{DataspaceProfile, ParticipantContext, ParticipantState, PublishedParticipant},
    negotiation,
    patience::Patience,
    removal,
    rules::Rules,
    transfer,
};

/// Everything that the control plane needs from outside.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Time and chance.
    pub environment: Environment,
    /// Mints the scopes of verified peers.
    pub scopes: Arc<ScopeIssuer>,
    /// Authenticates callers of the Management API.
    pub authenticator: Arc<Authenticator>,
    /// Secrets.
    pub vault: Arc<dyn Vault>,
    /// The HTTP client.
    pub outbound: Outbound,
    /// Finds DID documents.
    pub resolver: DidResolver,
    /// Proves participants to their peers.
    pub tokens: Arc<dyn SelfIssuedTokens>,
    /// The table of the `static` identity service, in development.
    pub static_peers: Option<StaticPeers>,
    /// The public URL, without a slash at its end.
    pub public_url: String,
    /// Ends the feeds of events when the server stops.
    pub shutdown: Shutdown,
    /// What peers are granted that do not take our messages.
    pub patience: Patience,
}

/// The control plane of one process.
pub struct ControlPlane {
    pub(crate) store: Store,
    pub(crate) environment: Environment,
    pub(crate) scopes: Arc<ScopeIssuer>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) outbound: Outbound,
    pub(crate) identity: Identity,
    pub(crate) rules: Rules,
    pub(crate) plane_tokens: transfer::PlaneTokens,
    pub(crate) public_url: String,
    pub(crate) shutdown: Shutdown,
    pub(crate) patience: Patience,
}

/// Whom a protocol request addressed: an active participant, in a dataspace profile that it takes part in.
#[derive(Debug, Clone)]
pub(crate) struct Addressed {
    pub(crate) recipient: Recipient,
    pub(crate) profile: DataspaceProfile,
    /// When the participant's context was made, as far as that is known.
    created_at: Option<Timestamp>,
}

impl Addressed {
    /// A participant in a profile.
    pub(crate) fn new(recipient: Recipient, profile: DataspaceProfile) -> Self {
        Self { recipient, profile, created_at: None }
    }

    /// Whether the participant that was addressed is still there. If so, the commit holds to it: to prove a peer takes
    /// seconds, and what is stored after a removal would be found by the next context of the same id.
    pub(crate) async fn hold(&self, transaction: &mut Transaction<'_>) -> Result<bool, StoreError> {
        let context = self.recipient.context().as_str();
        let context = transaction.load::<ParticipantContext>(context).await?.filter(|context| {
            context.state == ParticipantState::Activated
                && self.created_at.is_none_or(|created_at| context.created_at == created_at)
        });
        if let Some(context) = &context {
            transaction.check(context);
        }
        Ok(context.is_some())
    }
}

impl ControlPlane {
    /// From its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let identity =
            Identity::new(&parts.store, &parts.scopes, &parts.outbound, parts.resolver, parts.tokens)
                .with_static_peers(parts.static_peers);
        Arc::new(Self {
            rules: Rules::new(parts.store.clone()),
            plane_tokens: transfer::PlaneTokens::new(parts.outbound.clone(), parts.vault.clone()),
            identity,
            store: parts.store,
            environment: parts.environment,
            scopes: parts.scopes,
            authenticator: parts.authenticator,
            vault: parts.vault,
            outbound: parts.outbound,
            public_url: parts.public_url,
            shutdown: parts.shutdown,
            patience: parts.patience,
        })
    }

    /// Registers the handlers of this plane's jobs.
    #[must_use]
    pub fn jobs(self: &Arc<Self>, worker: Worker) -> Worker {
        removal::jobs(self, transfer::jobs(self, negotiation::jobs(self, worker)))
    }

    /// The base address of a participant's protocol endpoints in a profile: what goes out as `callbackAddress`
    /// and stands in catalogs.
    pub(crate) fn protocol_address(&self, context: &ParticipantContextId, profile: &ProfileName) -> String {
        format!("{}/api/dsp/{context}/{profile}", self.public_url)
    }

    /// A dataspace profile.
    pub(crate) async fn profile(&self, name: &str) -> Result<Option<DataspaceProfile>, StoreError> {
        match self.store.lookup(DataspaceProfile::DIRECTORY, name).await? {
            Some(row) => row.value().map(Some),
            None => Ok(None),
        }
    }

    /// A participant, as everybody may know it; an inactive one counts as absent.
    pub(crate) async fn participant(
        &self,
        context: &str,
    ) -> Result<Option<PublishedParticipant>, StoreError> {
        let Some(row) = self.store.lookup(ParticipantContext::DIRECTORY, context).await? else {
            return Ok(None);
        };
        let published: PublishedParticipant = row.value()?;
        if let Some(tenant) = &published.tenant {
            // For the log alone: nothing here is decided by it.
            tracing::Span::current().record("tenant_id", tenant.as_str());
        }
        Ok(published.active.then_some(published))
    }

    /// Whom a path addresses, if there is such a participant in such a profile.
    pub(crate) async fn addressed(
        &self,
        context: &ParticipantContextId,
        profile: &ProfileName,
    ) -> Result<Option<Addressed>, StoreError> {
        let Some(participant) = self.participant(context.as_str()).await? else { return Ok(None) };
        if !participant.profiles.contains(profile) {
            return Ok(None);
        }
        let Some(profile) = self.profile(profile.as_str()).await? else { return Ok(None) };
        let recipient = Recipient::new(context.clone(), participant.identity);
        let created_at = participant.created_at;
        Ok(Some(Addressed { created_at, ..Addressed::new(recipient, profile) }))
    }
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlPlane")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::House;

    #[tokio::test]
    async fn a_commit_that_holds_to_a_participant_fails_when_it_is_removed_meanwhile() {
        let house = House::new().await;
        let mut transaction = house.plane.store.begin(&house.own);
        assert!(house.addressed().await.hold(&mut transaction).await.expect("reads"));
        house.move_out().await;
        let committed = transaction.commit().await;
        assert!(matches!(committed, Err(StoreError::Stale { .. })), "{committed:?}");
    }
}
