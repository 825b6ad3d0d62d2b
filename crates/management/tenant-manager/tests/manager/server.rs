//! One server's Tenant Manager with a token service, over a database of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use heddle_auth::{
    Authenticator, ClientAuthentication, NewClient, TokenRequest, TokenService, TokenSettings,
};
use heddle_bus::{Audience, follow};
use heddle_clock::{Clock, Environment, SystemClock, SystemRng, Timestamp};
use heddle_store::{Event, EventCursor, Store, Worker, WorkerLimits};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, Scope, ScopeIssuer, TenantScope};
use heddle_tenant_manager::{Parts, TenantManager};
use heddle_vault::{EmbeddedVault, MasterKeySource, Vault};
use heddle_web::{Shutdown, Stop};

pub const BASE: &str = "/api/tm/v1alpha1";
const US: &str = "https://heddle.example";
/// More than any test needs; it only ends one that hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The time of day, but never the same millisecond twice: what is made later is younger.
#[derive(Debug, Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now().as_millis();
        let last = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(now.max(last + 1)));
        Timestamp::from_millis(now.max(last.unwrap_or(now) + 1))
    }
}

/// The parts that every server has.
pub struct Server {
    pub store: Store,
    pub scopes: Arc<ScopeIssuer>,
    pub authenticator: Arc<Authenticator>,
    pub manager: Arc<TenantManager>,
    tokens: TokenService,
    stop: Stop,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "the test is the composition root of its server")]
    pub async fn new() -> Self {
        let environment = Environment::new(Arc::new(Ticking::default()), Arc::new(SystemRng));
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let store = Store::new(Arc::new(database), environment.clone());
        let scopes = Arc::new(ScopeIssuer::new());
        let operator = scopes.operator(Actor::new("test"));
        let vault = EmbeddedVault::open(store.clone(), &operator, &MasterKeySource::Ephemeral).await;
        let vault: Arc<dyn Vault> = Arc::new(vault.expect("a new vault opens"));
        let settings = TokenSettings { issuer: US.to_owned(), audience: US.to_owned() };
        let tokens = TokenService::open(store.clone(), vault, scopes.clone(), settings).await;
        let tokens = tokens.expect("a token service opens");
        let issuers = vec![tokens.trusted_issuer()];
        let authenticator = Arc::new(Authenticator::new(scopes.clone(), issuers, environment.clone()));
        let (stop, shutdown) = Shutdown::pair();
        let manager = TenantManager::new(Parts {
            store: store.clone(),
            environment,
            scopes: scopes.clone(),
            authenticator: authenticator.clone(),
            shutdown,
        });
        Self { store, scopes, authenticator, manager, tokens, stop }
    }

    pub fn worker(&self) -> Worker {
        Worker::new(self.store.clone(), self.scopes.clone(), WorkerLimits::default())
    }

    /// A token of a new client of the scope's owner.
    pub async fn token(&self, scope: &dyn Scope, new: NewClient) -> String {
        let mut transaction = self.store.begin(scope);
        let client = self.tokens.create_client(&mut transaction, new).await.expect("a client");
        transaction.commit().await.expect("stored");
        let client = ClientAuthentication {
            client_id: client.client_id.to_string(),
            client_secret: client.client_secret.clone(),
        };
        self.tokens.token(TokenRequest { client, scope: None }).await.expect("a token").token
    }

    /// Of a client of the installation.
    pub async fn token_of(&self, new: NewClient) -> String {
        self.token(&self.scopes.operator(Actor::new("test")), new).await
    }

    pub fn tenant(&self, id: &str) -> TenantScope {
        self.scopes.tenant(id.parse().expect("legal"), Actor::new("test"))
    }

    /// Ends event feeds.
    pub fn stop(&self) {
        self.stop.stop();
    }
}

pub fn with_scopes(scopes: &[&str]) -> NewClient {
    NewClient::service(scopes.iter().map(|&scope| scope.to_owned()).collect())
}

/// Waits for the first event of this type about this subject.
pub async fn told(server: &Server, kind: &str, subject: &str) -> Event {
    let audience = Audience::Operator(server.scopes.operator(Actor::new("test")));
    let events = follow(server.store.clone(), audience, EventCursor(0));
    let fits = |event: &Event| event.kind == kind && event.subject == subject;
    let found = events.filter(|event| std::future::ready(event.as_ref().is_ok_and(fits)));
    let found = tokio::time::timeout(PATIENCE, Box::pin(found).next()).await;
    found.unwrap_or_else(|_| panic!("{kind} about {subject} comes")).expect("no end").expect("readable")
}
