//! Tokens that we show to data planes (DPS authorization profile `oauth2_client_credentials`), kept until shortly
//! before they expire.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use heddle_clock::Timestamp;
use heddle_ids::{DataPlaneId, ParticipantContextId};
use heddle_outbound::{Authorization, Outbound, Request, RetryClass};
use heddle_tenancy::ParticipantScope;
use heddle_vault::Vault;
use serde::Deserialize;

use crate::model::DataPlane;

/// A token is not used in the last part of its life.
const MARGIN: Duration = Duration::from_secs(30);
/// Most tokens that are kept.
const TOKENS_MAX: usize = 10_000;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// Asking again may help.
    #[error("{0}")]
    Temporary(String),
    /// It will not.
    #[error("{0}")]
    Final(String),
}

type Key = (ParticipantContextId, DataPlaneId);

/// Gets and keeps tokens.
pub(crate) struct PlaneTokens {
    outbound: Outbound,
    vault: Arc<dyn Vault>,
    kept: Mutex<HashMap<Key, (String, Timestamp)>>,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl PlaneTokens {
    pub(crate) fn new(outbound: Outbound, vault: Arc<dyn Vault>) -> Self {
        Self { outbound, vault, kept: Mutex::new(HashMap::new()) }
    }

    /// The proof for a call to `plane`; none when the plane wants none.
    pub(crate) async fn authorization(
        &self,
        scope: &ParticipantScope,
        plane: &DataPlane,
    ) -> Result<Option<Authorization>, TokenError> {
        let (Some(endpoint), Some(client)) = (&plane.token_endpoint, &plane.client_id) else {
            return Ok(None);
        };
        let key = (scope.participant().clone(), plane.id.clone());
        let now = self.outbound.environment().now();
        if let Some((token, until)) = self.kept().get(&key)
            && *until > now
        {
            return Ok(Some(Authorization::bearer(token)));
        }
        let alias = DataPlane::secret_alias(&plane.id);
        let secret =
            self.vault.secret(scope, &alias).await.map_err(|e| TokenError::Temporary(e.to_string()))?;
        let secret = secret.as_ref().and_then(|secret| secret.expose_text());
        let missing =
            || TokenError::Final(format!("the client secret for data plane {} is missing", plane.id));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_secret", secret.ok_or_else(missing)?),
        ];
        let answer = self.outbound.send(Request::post(endpoint).form(&form)).await.map_err(|error| {
            match error.class() {
                // The token service may be restarting; whoever signals gives up after some attempts.
                RetryClass::Retry { .. } | RetryClass::RetryBriefly => {
                    TokenError::Temporary(error.to_string())
                }
                RetryClass::Final => TokenError::Final(error.to_string()),
            }
        })?;
        let issued: Issued = answer.json().map_err(|error| TokenError::Final(error.to_string()))?;
        let lifetime = Duration::from_secs(issued.expires_in.unwrap_or(60)).saturating_sub(MARGIN);
        self.keep(key, &issued.access_token, now + lifetime);
        Ok(Some(Authorization::bearer(&issued.access_token)))
    }

    /// Forgets a token that was refused.
    pub(crate) fn forget(&self, scope: &ParticipantScope, plane: &DataPlane) {
        self.kept().remove(&(scope.participant().clone(), plane.id.clone()));
    }

    fn keep(&self, key: Key, token: &str, until: Timestamp) {
        let mut kept = self.kept();
        if kept.len() >= TOKENS_MAX {
            kept.clear();
        }
        kept.insert(key, (token.to_owned(), until));
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Key, (String, Timestamp)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PlaneTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlaneTokens")
    }
}
