//! What a participant context proves itself with at the other side: tokens of this side's own token service, which the
//! other side trusts by its keys. The secrets lie in the vault, the tokens in memory until shortly before they expire.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use heddle_auth::{ClientAuthentication, NewClient, TokenRequest, TokenService};
use heddle_clock::Timestamp;
use heddle_ids::{ClientId, ParticipantContextId};
use heddle_store::Store;
use heddle_tenancy::{ParticipantScope, Scope};
use heddle_vault::Vault;

/// A token is not used in the last part of its life.
const MARGIN: Duration = Duration::from_secs(60);
/// Most tokens that are kept.
const KEPT_MAX: usize = 10_000;

/// Gets and keeps tokens.
pub struct Passes {
    clients: Clients,
    kept: Mutex<HashMap<ParticipantContextId, (String, Timestamp)>>,
}

/// Finds clients of the token service, and makes them when they are wanted for the first time.
pub struct Clients {
    /// Where they are kept.
    pub store: Store,
    /// Where their secrets lie.
    pub vault: Arc<dyn Vault>,
    /// Who gives them tokens.
    pub tokens: Arc<TokenService>,
}

impl Passes {
    /// Without tokens.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { clients, kept: Mutex::default() }
    }

    /// A token of the context that `scope` opens.
    ///
    /// # Errors
    /// When the database, the vault or the token service does not answer, or another process makes the same client at
    /// this moment: trying again helps.
    pub async fn pass(&self, scope: &ParticipantScope) -> anyhow::Result<String> {
        let now = self.clients.store.environment().now();
        if let Some((token, until)) = self.kept().get(scope.participant())
            && *until > now
        {
            return Ok(token.clone());
        }
        let id = ClientId::parse(format!("pingpong-{}", scope.participant()))?;
        let new = NewClient::participant().with_scopes(vec!["pingpong-api:games:write".to_owned()]);
        let client = self.clients.obtain(scope, id, new).await?;
        let given = self.clients.tokens.token(TokenRequest { client, scope: None }).await?;
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        let until = given.expires_at - MARGIN;
        kept.insert(scope.participant().clone(), (given.token.clone(), until));
        Ok(given.token)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<ParticipantContextId, (String, Timestamp)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clients {
    /// What the client `id` authenticates with. If there is none yet, `new` is made; it and its secret are one commit.
    ///
    /// # Errors
    /// Those of the database, the vault and the token service; `Duplicate` when another process is faster.
    pub async fn obtain(
        &self,
        scope: &dyn Scope,
        id: ClientId,
        new: NewClient,
    ) -> anyhow::Result<ClientAuthentication> {
        let alias = format!("client/{id}");
        if let Some(client_secret) = self.vault.secret(scope, &alias).await? {
            return Ok(ClientAuthentication { client_id: id.to_string(), client_secret });
        }
        let mut transaction = self.store.begin(scope);
        let made = self.tokens.create_client(&mut transaction, new.with_client_id(id)).await?;
        self.vault.store_secret_in(&mut transaction, &alias, &made.client_secret).await?;
        transaction.commit().await?;
        Ok(ClientAuthentication { client_id: made.client_id.to_string(), client_secret: made.client_secret })
    }
}

impl fmt::Debug for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passes")
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}
