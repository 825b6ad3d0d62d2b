//! What the token service does for operators and for those who make and remove participant contexts.

use std::sync::Arc;

use heddle_jose::JwkSet;
use heddle_store::{StoreError, Transaction, Worker};
use heddle_tenancy::Owner;

use super::keys::tending::{TEND, Tender};
use crate::{OldKey, ShownKey, TokenService, TokenServiceError, client, verification::standing};

impl TokenService {
    /// Replaces signing keys by age from here on, by a job that `worker` runs.
    ///
    /// # Errors
    /// See [`TokenServiceError`].
    pub async fn jobs(&self, worker: Worker) -> Result<Worker, TokenServiceError> {
        self.keys.ensure_tended().await?;
        Ok(worker.handle(TEND, Arc::new(Tender(self.keys.clone()))))
    }

    /// The keys that its tokens are checked with, those of every replica.
    pub async fn jwks(&self) -> JwkSet {
        self.keys.published().await
    }

    /// The signing keys, newest last.
    ///
    /// # Errors
    /// The database.
    pub async fn signing_keys(&self) -> Result<Vec<ShownKey>, StoreError> {
        self.keys.shown().await
    }

    /// Ends the clients of a participant context that is removed, in the commit that removes it, and with them every
    /// token of the context, whoever gave it.
    ///
    /// # Errors
    /// The database.
    pub async fn end_participant(&self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        self.delete_clients(transaction).await?;
        if let Owner::Participant(context) = transaction.access().owner() {
            standing::end_earlier(transaction, context.as_str());
        }
        Ok(())
    }

    /// Makes sure, in the commit that makes a participant context, that it inherits no clients and no tokens of one that
    /// had the same id.
    ///
    /// # Errors
    /// The database.
    pub async fn begin_participant(&self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        self.delete_clients(transaction).await?;
        if let Owner::Participant(context) = transaction.access().owner()
            && standing::has_ended_before(&self.store, context.as_str()).await?
        {
            standing::end_earlier(transaction, context.as_str());
        }
        Ok(())
    }

    async fn delete_clients(&self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        for client in client::list(transaction).await? {
            client::delete(transaction, client.client_id()).await?;
        }
        Ok(())
    }

    /// Replaces the signing key: begins a rotation, which ends by itself, or revokes the current key at once. While a
    /// rotation is under way, another one changes nothing. Gives the keys as they are then.
    ///
    /// # Errors
    /// See [`TokenServiceError`]; `Stale` when another replica rotates at the same moment.
    pub async fn rotate_signing_key(&self, old: OldKey) -> Result<Vec<ShownKey>, TokenServiceError> {
        self.keys.rotate(old).await
    }

    /// Refuses everything that a key has signed, at once; whether there was such a key. One that signs, or is about to, is
    /// succeeded by a new key that signs from here on.
    ///
    /// # Errors
    /// As [`TokenService::rotate_signing_key`].
    pub async fn revoke_signing_key(&self, kid: &str) -> Result<bool, TokenServiceError> {
        self.keys.revoke(kid).await
    }
}
