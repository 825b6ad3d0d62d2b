//! The control planes that a participant has registered, and the tokens that we show them (DPS authorization profile
//! `oauth2_client_credentials`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use heddle_clock::Timestamp;
use heddle_ids::ParticipantContextId;
use heddle_outbound::{Authorization, Outbound, OutboundError, Request};
use heddle_store::{Aggregate, StoreError};
use heddle_tenancy::ParticipantScope;
use heddle_vault::{Vault, VaultError};
use serde::{Deserialize, Serialize};

use crate::aliases;

/// A token is not used in the last part of its life.
const MARGIN: Duration = Duration::from_secs(30);
/// Life of a token whose issuer does not name one.
const LIFETIME_UNLESS_SAID: Duration = Duration::from_secs(60);
/// Most tokens that are kept.
const TOKENS_MAX: usize = 10_000;

/// A registered control plane. Its client secret lies in the vault ([`aliases::client_secret`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegisteredControlPlane {
    pub(crate) id: String,
    /// Base URL of its callbacks.
    pub(crate) endpoint: String,
    /// How we prove ourselves to it; nothing when it wants no proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<CallbackClient>,
}

/// Our client at a control plane's token service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallbackClient {
    pub(crate) token_endpoint: String,
    pub(crate) client_id: String,
}

impl RegisteredControlPlane {
    /// The authority of its endpoint.
    pub(crate) fn host(&self) -> Option<&str> {
        self.endpoint.split_once("://")?.1.split(['/', '?', '#']).next()
    }
}

impl Aggregate for RegisteredControlPlane {
    const KIND: &'static str = "control-plane";

    fn id(&self) -> &str {
        &self.id
    }
}

/// Why a callback was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallbackError {
    /// The client secret is not to be had.
    #[error("{0}")]
    Secret(String),
    /// The control plane or its token service.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Gets and keeps tokens for callbacks.
pub(crate) struct CallbackTokens {
    outbound: Outbound,
    vault: Arc<dyn Vault>,
    kept: Mutex<Kept>,
}

type Kept = HashMap<(ParticipantContextId, String), (Authorization, Timestamp)>;

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl CallbackTokens {
    pub(crate) fn new(outbound: Outbound, vault: Arc<dyn Vault>) -> Self {
        Self { outbound, vault, kept: Mutex::default() }
    }

    /// The proof for a call to `plane`; none when it wants none.
    pub(crate) async fn authorization(
        &self,
        scope: &ParticipantScope,
        plane: &RegisteredControlPlane,
    ) -> Result<Option<Authorization>, CallbackError> {
        let Some(client) = &plane.client else { return Ok(None) };
        let key = (scope.participant().clone(), plane.id.clone());
        let now = self.outbound.environment().now();
        if let Some((authorization, until)) = self.kept().get(&key)
            && *until > now
        {
            return Ok(Some(authorization.clone()));
        }
        let secret = match self.vault.secret(scope, &aliases::client_secret(&plane.id)).await {
            Ok(secret) => secret,
            Err(VaultError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(CallbackError::Secret(error.to_string())),
        };
        let missing =
            || CallbackError::Secret(format!("no client secret is kept for control plane '{}'", plane.id));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client.client_id.as_str()),
            ("client_secret", secret.as_ref().and_then(|secret| secret.expose_text()).ok_or_else(missing)?),
        ];
        let issued: Issued =
            self.outbound.send(Request::post(&client.token_endpoint).form(&form)).await?.json()?;
        let lifetime = issued.expires_in.map_or(LIFETIME_UNLESS_SAID, Duration::from_secs);
        let authorization = Authorization::bearer(&issued.access_token);
        let mut kept = self.kept();
        if kept.len() >= TOKENS_MAX {
            kept.clear();
        }
        kept.insert(key, (authorization.clone(), now + lifetime.saturating_sub(MARGIN)));
        Ok(Some(authorization))
    }

    /// Forgets a token: it was refused, or the registration has changed.
    pub(crate) fn forget(&self, scope: &ParticipantScope, plane: &str) {
        self.kept().remove(&(scope.participant().clone(), plane.to_owned()));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
