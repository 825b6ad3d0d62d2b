//! A whole issuer service on a port of its own, with an issuer whose key lies in the vault.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use heddle_auth::{
    Authenticator, ClientAuthentication, NewClient, TokenRequest, TokenService, TokenSettings,
};
use heddle_bus::Audience;
use heddle_clock::{Environment, Timestamp};
use heddle_did::{Did, web};
use heddle_issuer_service::{IssuerService, Parts, Settings};
use heddle_jose::{Algorithm, Jwk};
use heddle_outbound::{DidResolver, Outbound, OutboundConfig, Request};
use heddle_store::{
    DirectoryRow, Event, EventCursor, JobHandler, RunningWorker, Store, Worker, WorkerLimits,
};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, ParticipantScope, Scope, ScopeIssuer};
use heddle_vault::{EmbeddedVault, MasterKeySource, Vault};
use http::Method;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{call::Call, tokens::Tokens};

/// Where the key of every issuer of these tests lies.
pub const ALIAS: &str = "issuer-key";
pub const ADMIN: &str = "/api/admin/v1beta/participants/issuer";
pub const DCP: &str = "/api/issuance/v1beta/participants/issuer";

/// The service and what the tests need of its inside.
pub struct World {
    pub url: String,
    pub port: u16,
    pub store: Store,
    pub scopes: Arc<ScopeIssuer>,
    pub did: Did,
    pub key: Jwk,
    pub tokens: Arc<Tokens>,
    clients: Arc<TokenService>,
    vault: Arc<dyn Vault>,
    pub outbound: Outbound,
    service: Arc<IssuerService>,
    worker: tokio::sync::Mutex<Option<RunningWorker>>,
}

pub fn now() -> Timestamp {
    Environment::system().now()
}

pub fn unique() -> String {
    Environment::system().uuid()
}

#[expect(clippy::disallowed_methods, reason = "the test is the composition root")]
fn scope_issuer() -> Arc<ScopeIssuer> {
    Arc::new(ScopeIssuer::new())
}

fn client(environment: &Environment) -> Outbound {
    let config =
        OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
    Outbound::new(config, environment.clone()).expect("a client")
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    pub async fn start_with(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let url = format!("http://127.0.0.1:{port}");
        let environment = Environment::system();
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let store = Store::new(Arc::new(database), environment.clone());
        let scopes = scope_issuer();
        let operator = scopes.operator(Actor::new("test"));
        let vault = EmbeddedVault::open(store.clone(), &operator, &MasterKeySource::Ephemeral).await;
        let vault: Arc<dyn Vault> = Arc::new(vault.expect("a new vault opens"));
        let token_settings = TokenSettings { issuer: url.clone(), audience: url.clone() };
        let clients = TokenService::open(store.clone(), vault.clone(), scopes.clone(), token_settings).await;
        let clients = Arc::new(clients.expect("a token service opens"));
        let issuers = vec![clients.trusted_issuer()];
        let authenticator = Arc::new(Authenticator::new(scopes.clone(), issuers, environment.clone()));
        let did = Did::parse(&format!("did:web:127.0.0.1%3A{port}:issuer")).expect("legal");
        let outbound = client(&environment);
        let tokens = Arc::new(Tokens::new(did.clone(), vault.clone(), environment.clone()));
        let service = IssuerService::new(Parts {
            store: store.clone(),
            environment,
            scopes: scopes.clone(),
            authenticator,
            vault: vault.clone(),
            tokens: tokens.clone(),
            outbound: outbound.clone(),
            resolver: DidResolver::new(outbound.clone(), web::Scheme::Http),
            public_url: url.clone(),
            settings,
        });
        let router = service.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let worker =
            service.jobs(Worker::new(store.clone(), scopes.clone(), WorkerLimits::default())).start();
        let scope = scopes.participant("issuer".parse().expect("legal"), Actor::new("test"));
        let key = vault.generate_key(&scope, ALIAS, Algorithm::Es256).await.expect("a key");
        let world = Self {
            url,
            port,
            store,
            scopes,
            did,
            key,
            tokens,
            clients,
            vault,
            outbound,
            service,
            worker: tokio::sync::Mutex::new(Some(worker)),
        };
        world.publish_context("issuer", true).await;
        world
    }

    /// What the credential service publishes of a participant context.
    pub async fn publish_context(&self, name: &str, active: bool) {
        let did = format!("did:web:127.0.0.1%3A{}:{name}", self.port);
        let key = json!({"kid": format!("{did}#key-1"), "alias": ALIAS});
        let scope = self.participant(name);
        let mut transaction = self.store.begin(&scope);
        let row = json!({"did": did, "active": active, "signingKey": key});
        transaction.publish(DirectoryRow::new("holder", name, &row));
        transaction.commit().await.expect("published");
    }

    /// Waits until the jobs under way have ended; no further ones run until [`World::work`].
    pub async fn drain(&self) {
        let Some(worker) = self.worker.lock().await.take() else { return };
        worker.drain(Duration::from_secs(20)).await;
    }

    /// Runs jobs again, with these handlers in place of the service's own.
    pub async fn work(&self, handlers: Vec<(&str, Arc<dyn JobHandler>)>) {
        let worker = Worker::new(self.store.clone(), self.scopes.clone(), WorkerLimits::default());
        let worker = handlers
            .into_iter()
            .fold(self.service.jobs(worker), |worker, (kind, handler)| worker.handle(kind, handler));
        *self.worker.lock().await = Some(worker.start());
    }

    pub fn participant(&self, name: &str) -> ParticipantScope {
        self.scopes.participant(name.parse().expect("legal"), Actor::new("test"))
    }

    pub async fn destroy_key(&self) {
        assert!(self.vault.delete_key(&self.participant("issuer"), ALIAS).await.expect("deleted"));
    }

    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        Call::new(self, Request::new(method, url))
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    /// A bearer token of a new client of the scope's owner.
    pub async fn token(&self, scope: &dyn Scope, new: NewClient) -> String {
        let mut transaction = self.store.begin(scope);
        let client = self.clients.create_client(&mut transaction, new).await.expect("made");
        transaction.commit().await.expect("committed");
        let client = ClientAuthentication {
            client_id: client.client_id.to_string(),
            client_secret: client.client_secret,
        };
        self.clients.token(TokenRequest { client, scope: None }).await.expect("given").token
    }

    /// A token of a participant context for itself.
    pub async fn own_token(&self, name: &str) -> String {
        self.token(&self.participant(name), NewClient::participant()).await
    }

    /// Waits for the first event of this type.
    pub async fn event(&self, kind: &str) -> Event {
        let audience = Audience::Participant(self.participant("issuer"));
        let events = heddle_bus::follow(self.store.clone(), audience, EventCursor(0));
        let wanted = events.map(|event| event.expect("readable")).filter(|event| {
            let fits = event.kind == kind;
            async move { fits }
        });
        soon(kind, Box::pin(wanted).next()).await.expect("a feed has no end")
    }
}

/// What happens in time; a test that waits for what never comes fails instead of hanging.
pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work).await.unwrap_or_else(|_| panic!("in vain: {what}"))
}
