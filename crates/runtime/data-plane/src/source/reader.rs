//! Sources as the proxy needs them.

use std::sync::Arc;

use heddle_ids::AssetId;
use heddle_outbound::Authorization;
use heddle_store::{Store, StoreError};
use heddle_tenancy::{Actor, FlowPermit, ScopeIssuer};
use heddle_vault::{Vault, VaultError};

use super::{Origin, Source};
use crate::aliases;

/// A source with everything that opens it: nothing more is to be looked up for a download.
#[derive(Debug)]
pub(crate) struct ReadySource {
    pub(crate) origin: Origin,
    /// What the HTTP origin wants as Authorization.
    pub(crate) authorization: Option<Authorization>,
}

/// Reads sources for permits.
pub(crate) struct SourceReader {
    store: Store,
    vault: Arc<dyn Vault>,
    scopes: Arc<ScopeIssuer>,
}

impl SourceReader {
    pub(crate) fn new(store: Store, vault: Arc<dyn Vault>, scopes: Arc<ScopeIssuer>) -> Self {
        Self { store, vault, scopes }
    }

    /// The source of the flow's dataset; none when it was removed since the flow began.
    pub(crate) async fn read(
        &self,
        permit: &FlowPermit,
        dataset: &AssetId,
    ) -> Result<Option<ReadySource>, StoreError> {
        let actor = Actor::new(format!("data flow {}", permit.flow()));
        let scope = self.scopes.participant(permit.participant().clone(), actor);
        let Some(source) = self.store.begin(&scope).load::<Source>(dataset.as_str()).await? else {
            return Ok(None);
        };
        let origin = source.into_value().origin;
        let mut authorization = None;
        if origin.is_authorized() {
            match self.vault.secret(&scope, &aliases::origin_authorization(dataset)).await {
                // Without it the origin will refuse, and say so.
                Ok(secret) => {
                    let text = secret.as_ref().and_then(|secret| secret.expose_text());
                    authorization = text.map(Authorization::verbatim);
                }
                Err(VaultError::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::error!(component = "data-plane", action = "source.read", %error, "a secret is lost");
                }
            }
        }
        Ok(Some(ReadySource { origin, authorization }))
    }
}
