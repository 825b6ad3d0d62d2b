//! Issuers, clocks and authenticators for the tests of this crate.

use std::sync::Arc;

use heddle_auth::{
    AccessToken, AudienceRule, Authenticator, ClientAuthentication, ClientCredentials, ClientError,
    NewClient, Principal, StaticKeys, TokenPolicy, TokenRefusal, TokenRequest, TokenService, TokenSettings,
    TrustedIssuer,
};
use heddle_clock::{Environment, FixedClock, SystemRng, Timestamp};
use heddle_jose::{Algorithm, Header, JwkSet, SoftwareKey, sign_compact};
use heddle_store::{Database, Store};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, OperatorScope, ParticipantScope, Scope, ScopeIssuer};
use heddle_vault::{EmbeddedVault, MasterKeySource, Vault};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://idp.example";
pub const AUDIENCE: &str = "https://heddle.example";
/// 2026-01-31T12:00:00Z
pub const NOW: i64 = 1_769_860_800;

/// An identity provider with one key.
pub struct Idp {
    pub key: SoftwareKey,
    pub name: String,
}

impl Idp {
    pub fn new(name: &str, algorithm: Algorithm) -> Self {
        Self { key: SoftwareKey::generate(algorithm).expect("entropy"), name: name.to_owned() }
    }

    pub fn keys(&self) -> StaticKeys {
        StaticKeys(JwkSet { keys: vec![self.key.public_jwk(Some("k1"))] })
    }

    pub fn trusted(&self) -> TrustedIssuer {
        let rule = AudienceRule::Contains(AUDIENCE.to_owned());
        TrustedIssuer::external(self.name.as_str(), rule, Arc::new(self.keys()))
    }

    /// A token that is valid now, with these claims over the usual ones; a claim that is null is left out.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(Header::jwt(self.key.algorithm(), "k1"), claims)
    }

    pub fn token_with(&self, header: Header, claims: &Value) -> String {
        let mut all = json!({"iss": self.name, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 300, "sub": "acme"});
        let members = all.as_object_mut().expect("an object");
        for (name, value) in claims.as_object().expect("an object") {
            members.insert(name.clone(), value.clone());
        }
        members.retain(|_, value| !value.is_null());
        sign_compact(&self.key, header, &all).expect("signs")
    }
}

pub fn clock() -> (FixedClock, Environment) {
    let clock = FixedClock::at(Timestamp::from_seconds(NOW));
    (clock.clone(), Environment::new(Arc::new(clock), Arc::new(SystemRng)))
}

#[expect(clippy::disallowed_methods, reason = "these tests are about whom the authenticator gives scopes to")]
pub fn scopes() -> Arc<ScopeIssuer> {
    Arc::new(ScopeIssuer::new())
}

pub fn authenticator(idp: &Idp) -> Authenticator {
    Authenticator::new(scopes(), vec![idp.trusted()], clock().1)
}

pub async fn principal(authenticator: &Authenticator, idp: &Idp, claims: &Value) -> Principal {
    authenticator.authenticate(&idp.token(claims)).await.expect("a good token")
}

/// A server's token service over a database of its own, with the clock that it runs by.
pub struct World {
    pub clock: FixedClock,
    pub store: Store,
    pub vault: Arc<dyn Vault>,
    pub scopes: Arc<ScopeIssuer>,
    pub service: Arc<TokenService>,
    pub auth: Authenticator,
}

impl World {
    pub async fn new() -> Self {
        Self::with(TokenPolicy::default()).await
    }

    pub async fn with(policy: TokenPolicy) -> Self {
        let (clock, environment) = clock();
        let database = database(&environment).await;
        Self::on(clock, Store::new(database, environment), policy).await
    }

    /// The first replica on a database.
    pub async fn on(clock: FixedClock, store: Store, policy: TokenPolicy) -> Self {
        let scopes = scopes();
        let operator = scopes.operator(Actor::new("test"));
        let vault = EmbeddedVault::open(store.clone(), &operator, &MasterKeySource::Ephemeral).await;
        let vault: Arc<dyn Vault> = Arc::new(vault.expect("a new vault opens"));
        Self::over(clock, store, vault, scopes, policy).await
    }

    /// Another replica over the same database and vault.
    pub async fn replica(&self) -> Self {
        self.replica_with(self.store.clone(), TokenPolicy::default()).await
    }

    /// Another replica over the same vault, with connections of its own.
    pub async fn replica_with(&self, store: Store, policy: TokenPolicy) -> Self {
        let (vault, scopes) = (self.vault.clone(), self.scopes.clone());
        Self::over(self.clock.clone(), store, vault, scopes, policy).await
    }

    async fn over(
        clock: FixedClock,
        store: Store,
        vault: Arc<dyn Vault>,
        scopes: Arc<ScopeIssuer>,
        policy: TokenPolicy,
    ) -> Self {
        let settings = TokenSettings { issuer: AUDIENCE.to_owned(), audience: AUDIENCE.to_owned() };
        let opened = (settings, policy);
        let service = TokenService::open_with(store.clone(), vault.clone(), scopes.clone(), opened).await;
        let service = Arc::new(service.expect("a token service opens"));
        let issuers = vec![service.trusted_issuer()];
        let auth = Authenticator::new(scopes.clone(), issuers, store.environment().clone());
        Self { clock, store, vault, scopes, service, auth }
    }

    pub fn operator(&self) -> OperatorScope {
        self.scopes.operator(Actor::new("test"))
    }

    pub fn participant(&self, id: &str) -> ParticipantScope {
        self.scopes.participant(id.parse().expect("legal"), Actor::new("test"))
    }

    /// Makes a client of the scope's owner, in a commit of its own.
    pub async fn client(&self, scope: &dyn Scope, new: NewClient) -> Result<ClientCredentials, ClientError> {
        let mut transaction = self.store.begin(scope);
        let credentials = self.service.create_client(&mut transaction, new).await?;
        transaction.commit().await?;
        Ok(credentials)
    }

    pub async fn token(&self, client: &ClientCredentials) -> Result<AccessToken, TokenRefusal> {
        self.service.token(request(client, None)).await
    }
}

pub fn request(client: &ClientCredentials, scope: Option<&str>) -> TokenRequest {
    let client = ClientAuthentication {
        client_id: client.client_id.to_string(),
        client_secret: client.client_secret.clone(),
    };
    TokenRequest { client, scope: scope.map(str::to_owned) }
}

async fn database(environment: &Environment) -> Arc<dyn Database> {
    Arc::new(SqliteDatabase::temporary(environment).await.expect("a temporary database"))
}
