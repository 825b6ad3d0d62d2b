//! The built-in token service: client credentials (RFC 6749 §4.4), JWT access tokens (RFC 9068).
//!
//! Tokens speak both dialects at once: `sub` and `participant_context_id`, `role` and scopes. They live ten
//! minutes, and no longer than the client that they were given to and its secret.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use heddle_clock::Timestamp;
use heddle_ids::ClientId;
use heddle_store::{Loaded, Store, StoreError, Transaction};
use heddle_tenancy::{Actor, Owner, ParticipantScope, Scope, ScopeIssuer};
use heddle_vault::{Secret, Vault, VaultError};

use crate::{
    ApiScope, ClientCredentials, ClientError, ClientRecord, NewClient, RequiredScope, SCOPES_MAX, ScopeSet,
    TrustedIssuer,
    client::{self, SecretHash},
    scope::SCOPES_BYTES_MAX,
};

mod administration;
mod attempts;
mod claims;
mod keys;
mod policy;
mod rates;
mod refusal;

use attempts::{Attempts, Pass};
use claims::AccessTokenClaims;
use keys::SigningKeys;
use rates::Rates;

pub(crate) use keys::PUBLISHED_MAX_AGE;
pub use keys::{ANNOUNCED_FOR, KeyState, OldKey, ShownKey};
pub use policy::{InvalidNetwork, Network, TokenPolicy};
pub use refusal::TokenRefusal;

/// How long an access token lives.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(600);

/// Names that the token service goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// The public URL of this installation, without a slash at its end: the `iss` of tokens, and where its
    /// endpoints are.
    pub issuer: String,
    /// The `aud` of tokens, which the APIs of this installation demand.
    pub audience: String,
}

/// Why the token service cannot work.
#[derive(Debug, thiserror::Error)]
pub enum TokenServiceError {
    /// The vault.
    #[error("the signing key of the token service cannot be used: {0}")]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who asks for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAuthentication {
    /// The client id.
    pub client_id: String,
    /// The secret.
    pub client_secret: Secret,
}

/// A request for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Who asks.
    pub client: ClientAuthentication,
    /// Scopes that are asked for, separated by spaces; `None` is all that the client may have.
    pub scope: Option<String>,
}

/// A token that was given.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// Until when it is valid.
    pub expires_at: Timestamp,
    /// Its scopes, separated by spaces.
    pub scope: String,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// Gives access tokens to clients. Replicas share clients and keys through the database and the vault.
pub struct TokenService {
    store: Store,
    scopes: Arc<ScopeIssuer>,
    keys: Arc<SigningKeys>,
    settings: TokenSettings,
    attempts: Attempts,
    policy: TokenPolicy,
    of_clients: Rates,
    from_addresses: Rates,
}

impl TokenService {
    /// Opens the service; at first start makes its signing key.
    ///
    /// # Errors
    /// See [`TokenServiceError`].
    pub async fn open(
        store: Store,
        vault: Arc<dyn Vault>,
        scopes: Arc<ScopeIssuer>,
        settings: TokenSettings,
    ) -> Result<Self, TokenServiceError> {
        Self::open_with(store, vault, scopes, (settings, TokenPolicy::default())).await
    }

    /// The same with a policy of the operator's.
    ///
    /// # Errors
    /// See [`TokenServiceError`].
    pub async fn open_with(
        store: Store,
        vault: Arc<dyn Vault>,
        scopes: Arc<ScopeIssuer>,
        (settings, policy): (TokenSettings, TokenPolicy),
    ) -> Result<Self, TokenServiceError> {
        let operator = scopes.operator(Actor::new("token service"));
        let keys = SigningKeys::open(store.clone(), vault, operator, policy.rotate_after).await?;
        let of_clients = Rates::per_minute(policy.client_requests_per_minute);
        let from_addresses = Rates::per_minute(policy.address_requests_per_minute);
        let (keys, attempts) = (Arc::new(keys), Attempts::default());
        Ok(Self { store, scopes, keys, settings, attempts, policy, of_clients, from_addresses })
    }

    /// This service as an issuer that an [`crate::Authenticator`] trusts, its keys known in process.
    #[must_use]
    pub fn trusted_issuer(&self) -> TrustedIssuer {
        let TokenSettings { issuer, audience } = self.settings.clone();
        TrustedIssuer::built_in(issuer, audience, self.keys.clone(), self.store.clone())
    }

    /// Its names.
    #[must_use]
    pub fn settings(&self) -> &TokenSettings {
        &self.settings
    }

    /// What the operator has set.
    #[must_use]
    pub(crate) fn policy(&self) -> &TokenPolicy {
        &self.policy
    }

    /// Makes a client of whom the transaction is opened for, in the caller's commit; at most one per
    /// transaction. The secret is returned this once and not stored.
    ///
    /// # Errors
    /// See [`ClientError`]. A client id that is taken fails the commit with `Duplicate`.
    pub async fn create_client(
        &self,
        transaction: &mut Transaction<'_>,
        new: NewClient,
    ) -> Result<ClientCredentials, ClientError> {
        client::create(transaction, self.store.environment(), new).await
    }

    /// The clients of whom the transaction is opened for, oldest first, expired ones included.
    ///
    /// # Errors
    /// The database.
    pub async fn clients(&self, transaction: &mut Transaction<'_>) -> Result<Vec<ClientRecord>, StoreError> {
        client::list(transaction).await
    }

    /// Deletes a client, in the caller's commit; whether there was one. Tokens that it has end with it.
    ///
    /// # Errors
    /// The database.
    pub async fn delete_client(
        &self,
        transaction: &mut Transaction<'_>,
        id: &ClientId,
    ) -> Result<bool, StoreError> {
        client::delete(transaction, id).await
    }

    /// Counts a request from an address.
    ///
    /// # Errors
    /// [`TokenRefusal::TooManyRequests`].
    pub(crate) fn admit(&self, address: IpAddr) -> Result<(), TokenRefusal> {
        let now = self.store.environment().now();
        let taken = self.from_addresses.take(&rates::address_key(address), now);
        taken.map_err(|retry_after| TokenRefusal::TooManyRequests { whose: "from this address", retry_after })
    }

    /// Gives a token.
    ///
    /// # Errors
    /// See [`TokenRefusal`]. An unknown client and a wrong secret are not told apart.
    pub async fn token(&self, request: TokenRequest) -> Result<AccessToken, TokenRefusal> {
        let now = self.store.environment().now();
        // Who does not know the secret is counted by his address and by his attempts: were he counted here, anybody
        // could use up what the client itself may ask for.
        let (owner, record) = self.authenticate(&request.client).await?;
        let taken = self.of_clients.take(record.client_id().as_str(), now);
        taken
            .map_err(|retry_after| TokenRefusal::TooManyRequests { whose: "of this client", retry_after })?;
        let granted = granted(&record, request.scope.as_deref())?;
        let scope = claims::expanded(&granted);
        let expires_at = now + TOKEN_LIFETIME;
        let claims = AccessTokenClaims::new(&self.settings, (&owner, &record), &scope, (now, expires_at));
        let claims = claims.with_id(self.store.environment().uuid());
        let token = self.keys.sign(&claims).await.map_err(|error| TokenRefusal::unavailable(&error))?;
        Ok(AccessToken { token, expires_at, scope })
    }

    /// Everything of the participant context whose client authenticates so, if the client has the scope: for
    /// other token endpoints of this installation, such as that of self-issued tokens.
    ///
    /// # Errors
    /// [`TokenRefusal::InvalidClient`] also for clients of a tenant or of the installation;
    /// [`TokenRefusal::InvalidScope`] when the client does not have the scope.
    pub async fn participant_of(
        &self,
        client: &ClientAuthentication,
        required: &RequiredScope,
    ) -> Result<ParticipantScope, TokenRefusal> {
        let (owner, record) = self.authenticate(client).await?;
        let Owner::Participant(context) = owner else { return Err(TokenRefusal::InvalidClient) };
        if !record.scopes().collect::<ScopeSet>().satisfies(required) {
            return Err(TokenRefusal::InvalidScope);
        }
        Ok(self.scopes.participant(context, Actor::new(record.client_id().as_str())))
    }

    async fn authenticate(
        &self,
        client: &ClientAuthentication,
    ) -> Result<(Owner, ClientRecord), TokenRefusal> {
        let now = self.store.environment().now();
        let hash = SecretHash::of(client.client_secret.expose());
        if let Pass::After(wait) = self.attempts.pass(&client.client_id, &hash, now) {
            return Err(TokenRefusal::TooManyAttempts { retry_after: wait });
        }
        let found = self.find(&client.client_id).await.map_err(|error| TokenRefusal::unavailable(&error))?;
        match found.filter(|(_, record)| record.has_secret(&hash) && record.is_live(now)) {
            Some(found) => {
                self.attempts.succeeded(&client.client_id, hash, now);
                Ok(found)
            }
            None => {
                self.attempts.failed(&client.client_id, now);
                tracing::info!(component = "auth", client_id = client.client_id, "a client was refused");
                Err(TokenRefusal::InvalidClient)
            }
        }
    }

    async fn find(&self, client_id: &str) -> Result<Option<(Owner, ClientRecord)>, StoreError> {
        let Ok(id) = ClientId::parse(client_id) else { return Ok(None) };
        let Some(listed) = self.store.lookup(client::DIRECTORY_KIND, id.as_str()).await? else {
            return Ok(None);
        };
        let actor = Actor::new("token service");
        let scope: Box<dyn Scope> = match listed.owner.clone() {
            Owner::Installation => Box::new(self.scopes.operator(actor)),
            Owner::Tenant(tenant) => Box::new(self.scopes.tenant(tenant, actor)),
            Owner::Participant(context) => Box::new(self.scopes.participant(context, actor)),
        };
        let record = self.store.begin(scope.as_ref()).load::<ClientRecord>(id.as_str()).await?;
        Ok(record.map(|record| (listed.owner, Loaded::into_value(record))))
    }
}

impl fmt::Debug for TokenService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenService").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The scopes that are asked for, each of which the client must have; all of them when none is asked for.
fn granted(record: &ClientRecord, asked: Option<&str>) -> Result<Vec<ApiScope>, TokenRefusal> {
    let own: Vec<ApiScope> = record.scopes().collect();
    let Some(asked) = asked.map(str::trim).filter(|asked| !asked.is_empty()) else { return Ok(own) };
    let mut granted = Vec::new();
    for text in asked.split(' ').filter(|text| !text.is_empty()) {
        let scope: ApiScope = text.parse().map_err(|_| TokenRefusal::InvalidScope)?;
        if !own.iter().any(|has| has.includes(&scope)) {
            return Err(TokenRefusal::InvalidScope);
        }
        if !granted.contains(&scope) {
            granted.push(scope);
        }
    }
    // Separated by spaces.
    let bytes: usize = granted.iter().map(|scope| scope.to_string().len() + 1).sum();
    if granted.len() > SCOPES_MAX || bytes > SCOPES_BYTES_MAX {
        return Err(TokenRefusal::InvalidScope);
    }
    Ok(granted)
}
