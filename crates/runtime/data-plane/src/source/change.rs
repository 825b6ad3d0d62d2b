//! Setting and removing sources.

use heddle_ids::AssetId;
use heddle_store::{Loaded, StoreError};
use heddle_tenancy::ParticipantScope;
use heddle_vault::{Secret, VaultError};

use super::{HttpOrigin, Origin, Source};
use crate::{
    DataPlane, aliases,
    blob::{BlobError, BlobOwner, ByteStream, StoredBlob},
};

/// Why a source was not set or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// There is none.
    #[error("the dataset '{0}' has no source")]
    Absent(AssetId),
    /// The participant is not here, or not any more.
    #[error(
        "no control plane is registered for the participant; register one with PUT …/controlplanes first"
    )]
    Unregistered,
    /// The upload failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DataPlane {
    /// The source of a dataset.
    pub(crate) async fn source(
        &self,
        scope: &ParticipantScope,
        dataset: &AssetId,
    ) -> Result<Source, SourceError> {
        let loaded = self.store.begin(scope).load::<Source>(dataset.as_str()).await?;
        loaded.map(Loaded::into_value).ok_or_else(|| SourceError::Absent(dataset.clone()))
    }

    /// Stores bytes and makes them the source of a dataset. The source of before counts until they are whole.
    pub(crate) async fn upload(
        &self,
        scope: &ParticipantScope,
        dataset: AssetId,
        media_type: String,
        bytes: ByteStream,
    ) -> Result<Source, SourceError> {
        if !self.is_registered(scope).await? {
            return Err(SourceError::Unregistered);
        }
        let stored = self.blobs.put(&BlobOwner::from(scope), bytes, self.upload_bytes_max).await;
        if stored.is_err() && !self.is_registered(scope).await? {
            // It fails because all of the participant is being taken away.
            return Err(SourceError::Unregistered);
        }
        let blob = stored?;
        let source = self.set(scope, dataset, Origin::Upload { blob: blob.clone(), media_type }, None).await;
        if source.is_err() {
            self.delete_blob(scope, &blob).await;
        }
        source
    }

    /// Makes an HTTP resource the source of a dataset, with the Authorization value that it wants.
    pub(crate) async fn describe(
        &self,
        scope: &ParticipantScope,
        dataset: AssetId,
        origin: HttpOrigin,
        authorization: Option<Secret>,
    ) -> Result<Source, SourceError> {
        self.set(scope, dataset, Origin::Http(origin), authorization).await
    }

    async fn set(
        &self,
        scope: &ParticipantScope,
        dataset: AssetId,
        origin: Origin,
        authorization: Option<Secret>,
    ) -> Result<Source, SourceError> {
        let mut transaction = self.store.begin(scope);
        if !self.hold_registration(&mut transaction, None).await? {
            return Err(SourceError::Unregistered);
        }
        let loaded = transaction.load::<Source>(dataset.as_str()).await?;
        if let Some(value) = &authorization {
            let alias = aliases::origin_authorization(&dataset);
            self.vault.store_secret_in(&mut transaction, &alias, value).await?;
        }
        let source = Source { dataset, origin, updated_at: transaction.now() };
        match &loaded {
            Some(loaded) => transaction.save(loaded, &source),
            None => transaction.insert(&source),
        }
        transaction.commit().await?;
        self.table.forget_source(scope.participant(), &source.dataset);
        if let Some(old) = loaded {
            self.give_up(scope, old.value(), Some(&source)).await;
        }
        Ok(source)
    }

    /// Removes the source of a dataset; downloads under way still come to their end.
    pub(crate) async fn remove_source(
        &self,
        scope: &ParticipantScope,
        dataset: &AssetId,
    ) -> Result<(), SourceError> {
        let mut transaction = self.store.begin(scope);
        let loaded = transaction.load::<Source>(dataset.as_str()).await?;
        let loaded = loaded.ok_or_else(|| SourceError::Absent(dataset.clone()))?;
        transaction.delete(&loaded);
        transaction.commit().await?;
        self.table.forget_source(scope.participant(), dataset);
        self.give_up(scope, loaded.value(), None).await;
        Ok(())
    }

    /// Gives up what only an old source referred to. It is replaced already, so a failure here is no failure of the
    /// request; what stays is in the way of nobody.
    async fn give_up(&self, scope: &ParticipantScope, old: &Source, new: Option<&Source>) {
        if let Origin::Upload { blob, .. } = &old.origin {
            self.delete_blob(scope, blob).await;
        }
        if old.origin.is_authorized() && !new.is_some_and(|new| new.origin.is_authorized()) {
            let alias = aliases::origin_authorization(&old.dataset);
            if let Err(error) = self.vault.delete_secret(scope, &alias).await {
                tracing::warn!(component = "data-plane", action = "source.give-up", %error, "a secret stays");
            }
        }
    }

    async fn delete_blob(&self, scope: &ParticipantScope, blob: &StoredBlob) {
        if let Err(error) = self.blobs.delete(&BlobOwner::from(scope), &blob.name).await {
            tracing::warn!(component = "data-plane", action = "source.give-up", %error, "an upload stays");
        }
    }
}
