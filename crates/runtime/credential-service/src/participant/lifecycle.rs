//! Making, activating and removing participant contexts. Everything here takes part in the caller's commit.

use std::sync::Arc;

use async_trait::async_trait;
use heddle_clock::Environment;
use heddle_ids::{KeyPairId, ParticipantContextId};
use heddle_store::{
    Aggregate, DirectoryRow, EventCursor, JobContext, JobHandler, LIST_ROWS_MAX, Loaded, NewEvent, NewJob,
    Outcome, Query, Store, StoreError, Transaction,
};
use heddle_tenancy::JobScope;
use heddle_vault::{Vault, VaultError};
use serde::{Deserialize, Serialize};

use super::{
    DID, DID_DOCUMENT, DidClaim, HOLDER, HolderContext, KeyPair, KeyState, PublishedKey, State, Usage,
    document_of,
    manifest::{NewKey, NewParticipant},
};
use crate::wallet::{Credential, CredentialOffer, CredentialRequest};

/// The job that destroys the private keys of a participant context that was removed.
pub(crate) const DISPOSE_KEYS: &str = "dispose.keys";

/// The event of a removal: it ends the feeds of the context, so that none of them tells of a context that comes after it
/// under the same id.
pub(crate) const REMOVED: &str = "holder.removed";

/// Why a participant context was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ParticipantError {
    /// The id is taken.
    #[error("the participant context '{0}' exists already")]
    Exists(String),
    /// A key cannot be made.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Fails while a context of this id exists.
pub(crate) async fn check_vacant(
    transaction: &mut Transaction<'_>,
    id: &ParticipantContextId,
) -> Result<(), ParticipantError> {
    match transaction.load::<HolderContext>(id.as_str()).await? {
        None => Ok(()),
        Some(_) => Err(ParticipantError::Exists(id.to_string())),
    }
}

/// Makes a participant context with its keys, and publishes what everybody may know. A DID that another context
/// has fails the commit with `Duplicate`. Events up to `newest` are not its own.
pub(crate) async fn create(
    transaction: &mut Transaction<'_>,
    (vault, environment): (&dyn Vault, &Environment),
    (new, newest): (NewParticipant, EventCursor),
) -> Result<HolderContext, ParticipantError> {
    check_vacant(transaction, &new.id).await?;
    // What an earlier context of this id was sent at the moment of its end; see `DisposeKeys`.
    delete_wallet(transaction).await?;
    let now = transaction.now();
    let mut context = HolderContext {
        state: if new.active { State::Activated } else { State::Created },
        id: new.id,
        did: new.did,
        services: new.services,
        settings: new.settings,
        signing_key: None,
        created_at: now,
        modified_at: now,
        events_after: newest.0,
    };
    let mut keys = Vec::new();
    for (index, key) in new.keys.into_iter().enumerate() {
        let key = key_pair(transaction, (vault, environment), &context, key, index == 0).await?;
        transaction.insert(&key);
        keys.push(key);
    }
    context.signing_key = signing_key(&keys);
    transaction.insert(&context);
    transaction.publish(context.published());
    transaction.publish(DirectoryRow::new(
        DID,
        context.did.as_str(),
        &DidClaim { participant: context.id.clone() },
    ));
    if context.is_active() {
        publish_document(transaction, &context, &keys.iter().collect::<Vec<_>>());
    }
    transaction.audit("holder.create", context.id.as_str());
    Ok(context)
}

/// The key that signs credentials: of several, the default.
fn signing_key(keys: &[KeyPair]) -> Option<PublishedKey> {
    let signs = |key: &&KeyPair| key.state == KeyState::Activated && key.usage.contains(&Usage::Credentials);
    let key = keys.iter().filter(signs).max_by_key(|key| key.default_pair)?;
    Some(PublishedKey { kid: key.key_id.clone(), alias: key.vault_alias.clone() })
}

async fn key_pair(
    transaction: &mut Transaction<'_>,
    (vault, environment): (&dyn Vault, &Environment),
    context: &HolderContext,
    new: NewKey,
    default_pair: bool,
) -> Result<KeyPair, ParticipantError> {
    let vault_alias = format!("credential-service/key/{}", environment.uuid());
    let public_key = vault.generate_key_in(transaction, &vault_alias, new.algorithm).await?;
    let (ms, random) = environment.id_parts();
    Ok(KeyPair {
        id: new.id.unwrap_or_else(|| KeyPairId::from_parts(ms, random)),
        key_id: context.did.url(&new.fragment),
        vault_alias,
        private_key_alias: new.private_key_alias,
        public_key,
        state: if new.active { KeyState::Activated } else { KeyState::Created },
        usage: new.usage,
        default_pair,
        created_at: transaction.now(),
    })
}

fn publish_document(transaction: &mut Transaction<'_>, context: &HolderContext, keys: &[&KeyPair]) {
    let document = document_of(context, keys);
    transaction.publish(DirectoryRow::new(DID_DOCUMENT, context.did.as_str(), &document));
}

/// Activates or deactivates: publishes the DID document, or withdraws it. Doing it twice changes nothing.
pub(crate) async fn set_active(
    transaction: &mut Transaction<'_>,
    context: &Loaded<HolderContext>,
    active: bool,
) -> Result<(), StoreError> {
    if context.is_active() == active {
        return Ok(());
    }
    let state = if active { State::Activated } else { State::Deactivated };
    let next = HolderContext { state, modified_at: transaction.now(), ..context.value().clone() };
    if active {
        let keys = transaction.list::<KeyPair>(&Query::default()).await?;
        publish_document(transaction, &next, &keys.iter().map(Loaded::value).collect::<Vec<_>>());
    } else {
        transaction.withdraw(DID_DOCUMENT, next.did.as_str());
    }
    transaction.save(context, &next);
    transaction.publish(next.published());
    transaction.audit(if active { "holder.activate" } else { "holder.deactivate" }, next.id.as_str());
    Ok(())
}

/// Removes a participant context and all that this service keeps for it. Its private keys are destroyed by a
/// job: a vault outside the database has no part in this commit.
pub(crate) async fn delete(
    transaction: &mut Transaction<'_>,
    context: &Loaded<HolderContext>,
) -> Result<(), StoreError> {
    let keys = transaction.list::<KeyPair>(&Query::default()).await?;
    let aliases = keys.iter().map(|key| key.vault_alias.clone()).collect();
    keys.iter().for_each(|key| transaction.delete(key));
    delete_wallet(transaction).await?;
    transaction.withdraw(DID_DOCUMENT, context.did.as_str());
    transaction.withdraw(DID, context.did.as_str());
    transaction.withdraw(HOLDER, context.id.as_str());
    transaction.delete(context);
    let order_key = format!("holder/{}", context.id);
    transaction.enqueue(NewJob::new(DISPOSE_KEYS, order_key, &Disposal { aliases }));
    transaction.audit("holder.delete", context.id.as_str());
    let payload = Removed { participant_context_id: &context.id };
    transaction.emit(NewEvent::new(REMOVED, context.id.as_str(), &payload));
    Ok(())
}

/// Deletes what the participant context has received and asked for.
async fn delete_wallet(transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
    for request in transaction.list::<CredentialRequest>(&Query::default()).await? {
        transaction.cancel_jobs(request.order_key());
        transaction.delete(&request);
    }
    delete_every::<Credential>(transaction).await?;
    delete_every::<CredentialOffer>(transaction).await
}

async fn delete_every<A: Aggregate>(transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
    let mut offset = 0;
    loop {
        let page = transaction.list::<A>(&Query { offset, ..Query::default() }).await?;
        page.iter().for_each(|one| transaction.delete(one));
        if page.len() < LIST_ROWS_MAX as usize {
            return Ok(());
        }
        offset += LIST_ROWS_MAX;
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Removed<'a> {
    participant_context_id: &'a ParticipantContextId,
}

#[derive(Serialize, Deserialize)]
struct Disposal {
    aliases: Vec<String>,
}

/// Runs jobs of kind [`DISPOSE_KEYS`]. It also takes away what was delivered after the deletion had looked and before
/// it was committed: while there is no context, nothing can be stored any more, so that nothing remains.
pub(crate) struct DisposeKeys {
    pub(crate) store: Store,
    pub(crate) vault: Arc<dyn Vault>,
}

#[async_trait]
impl JobHandler for DisposeKeys {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        let JobScope::Participant(scope) = &context.scope else {
            return Ok(Outcome::Bury { error: "the job belongs to no participant context".to_owned() });
        };
        let disposal: Disposal = context.job.payload()?;
        for alias in &disposal.aliases {
            match self.vault.delete_key(scope, alias).await {
                Ok(_) => {}
                Err(VaultError::Store(error)) => return Err(error),
                Err(error) => return Ok(Outcome::Retry { error: error.to_string(), after: None }),
            }
        }
        let mut transaction = self.store.begin(scope);
        if transaction.load::<HolderContext>(scope.participant().as_str()).await?.is_none() {
            delete_wallet(&mut transaction).await?;
        }
        transaction.complete(&context.job);
        transaction.commit().await?;
        Ok(Outcome::Completed)
    }
}
