//! The control planes that a participant has registered, and the tokens that we show them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use heddle_clock::Timestamp;
use heddle_ids::ParticipantContextId;
use heddle_outbound::{Authorization, Outbound, OutboundError, Request};
use heddle_store::Aggregate;
use heddle_tenancy::ParticipantScope;
use heddle_vault::Vault;
use serde::{Deserialize, Serialize};

/// A token is not used in the last part of its life.
const MARGIN: Duration = Duration::from_secs(30);
/// Most tokens that are kept.
const TOKENS_MAX: usize = 10_000;

/// A registered control plane. Its secret lies in the vault, under [`RegisteredControlPlane::secret_alias`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegisteredControlPlane {
    pub(crate) id: String,
    /// Base URL of its callbacks.
    pub(crate) endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
}

impl RegisteredControlPlane {
    /// The alias of our client secret in the participant's vault.
    pub(crate) fn secret_alias(id: &str) -> String {
        format!("control-plane/{id}/client-secret")
    }
}

impl Aggregate for RegisteredControlPlane {
    const KIND: &'static str = "control-plane";

    fn id(&self) -> &str {
        &self.id
    }
}

/// Gets and keeps tokens for callbacks.
pub(crate) struct CallbackTokens {
    outbound: Outbound,
    vault: Arc<dyn Vault>,
    kept: Mutex<HashMap<(ParticipantContextId, String), (String, Timestamp)>>,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl CallbackTokens {
    pub(crate) fn new(outbound: Outbound, vault: Arc<dyn Vault>) -> Self {
        Self { outbound, vault, kept: Mutex::new(HashMap::new()) }
    }

    /// The proof for a call to `plane`; none when it wants none.
    pub(crate) async fn authorization(
        &self,
        scope: &ParticipantScope,
        plane: &RegisteredControlPlane,
    ) -> Result<Option<Authorization>, OutboundError> {
        let (Some(endpoint), Some(client)) = (&plane.token_endpoint, &plane.client_id) else { return Ok(None) };
        let key = (scope.participant().clone(), plane.id.clone());
        let now = self.outbound.environment().now();
        if let Some((token, until)) = self.kept().get(&key)
            && *until > now
        {
            return Ok(Some(Authorization::bearer(token)));
        }
        let missing = |reason: String| OutboundError::Malformed {
            subject: format!("the client secret for control plane {}", plane.id),
            reason,
        };
        let alias = RegisteredControlPlane::secret_alias(&plane.id);
        let secret = self.vault.secret(scope, &alias).await.map_err(|error| missing(error.to_string()))?;
        let secret = secret.as_ref().and_then(|secret| secret.expose_text());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_secret", secret.ok_or_else(|| missing("it is not in the vault".to_owned()))?),
        ];
        let issued: Issued = self.outbound.send(Request::post(endpoint).form(&form)).await?.json()?;
        let lifetime = Duration::from_secs(issued.expires_in.unwrap_or(60)).saturating_sub(MARGIN);
        let mut kept = self.kept();
        if kept.len() >= TOKENS_MAX {
            kept.clear();
        }
        kept.insert(key, (issued.access_token.clone(), now + lifetime));
        Ok(Some(Authorization::bearer(&issued.access_token)))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<(ParticipantContextId, String), (String, Timestamp)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
