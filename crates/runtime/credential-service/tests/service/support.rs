//! A whole credential service on a port of its own, and clients of it.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use heddle_auth::{
    Authenticator, ClientAuthentication, ClientCredentials, NewClient, TokenRequest, TokenService,
    TokenSettings,
};
use heddle_bus::Audience;
use heddle_clock::{Environment, Timestamp};
use heddle_credential_service::{CredentialService, Parts};
use heddle_did::{Did, web};
use heddle_outbound::{Authorization, DidResolver, Outbound, OutboundConfig, Request};
use heddle_store::{Event, EventCursor, RunningWorker, Store, Worker, WorkerLimits, testing::Intercepted};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, OperatorScope, ParticipantScope, Scope, ScopeIssuer};
use heddle_vault::{EmbeddedVault, MasterKeySource, Vault};
use heddle_web::{Shutdown, Stop};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::gate::Gate;

/// The service and what the tests need of its inside.
pub struct World {
    pub url: String,
    pub port: u16,
    pub store: Store,
    pub scopes: Arc<ScopeIssuer>,
    pub clients: Arc<TokenService>,
    pub outbound: Outbound,
    pub service: Arc<CredentialService>,
    pub stop: Stop,
    pub gate: Arc<Intercepted<Gate>>,
    worker: tokio::sync::Mutex<Option<RunningWorker>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// A call that was not made yet.
pub struct Call<'w> {
    world: &'w World,
    request: Request,
}

impl Call<'_> {
    pub fn bearer(mut self, token: &str) -> Self {
        self.request = self.request.authorization(Authorization::bearer(token));
        self
    }

    pub fn authorization(mut self, value: &str) -> Self {
        self.request = self.request.authorization(Authorization::verbatim(value));
        self
    }

    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body.to_string().into_bytes());
        self
    }

    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.request = self.request.form(fields);
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a value");
        self.request = self.request.header(HeaderName::from_static(name), value);
        self
    }

    pub async fn send(self) -> Answer {
        let mut answer = self.world.outbound.stream(self.request).await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.next().await {
            bytes.extend_from_slice(&chunk.expect("the body arrives"));
        }
        Answer { status, headers, text: String::from_utf8(bytes).expect("text") }
    }
}

pub fn now() -> Timestamp {
    Environment::system().now()
}

#[expect(clippy::disallowed_methods, reason = "the test is the composition root")]
fn scope_issuer() -> Arc<ScopeIssuer> {
    Arc::new(ScopeIssuer::new())
}

impl World {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let url = format!("http://127.0.0.1:{port}");
        let environment = Environment::system();
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let gate = Gate::before(database);
        let store = Store::new(gate.clone(), environment.clone());
        let scopes = scope_issuer();
        let operator = scopes.operator(Actor::new("test"));
        let vault = EmbeddedVault::open(store.clone(), &operator, &MasterKeySource::Ephemeral).await;
        let vault: Arc<dyn Vault> = Arc::new(vault.expect("a new vault opens"));
        let settings = TokenSettings { issuer: url.clone(), audience: url.clone() };
        let clients = TokenService::open(store.clone(), vault.clone(), scopes.clone(), settings).await;
        let clients = Arc::new(clients.expect("a token service opens"));
        let issuers = vec![clients.trusted_issuer()];
        let authenticator = Arc::new(Authenticator::new(scopes.clone(), issuers, environment.clone()));
        let config =
            OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
        let outbound = Outbound::new(config, environment.clone()).expect("a client");
        let (stop, shutdown) = Shutdown::pair();
        let service = CredentialService::new(Parts {
            store: store.clone(),
            environment,
            scopes: scopes.clone(),
            authenticator,
            token_service: Some(clients.clone()),
            vault,
            outbound: outbound.clone(),
            resolver: DidResolver::new(outbound.clone(), web::Scheme::Http),
            public_url: url.clone(),
            shutdown,
        });
        let router = service.router().fallback_service(service.did_documents());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let worker = Worker::new(store.clone(), scopes.clone(), WorkerLimits::default());
        let worker = service.jobs(worker).start();
        Self {
            url,
            port,
            store,
            scopes,
            clients,
            outbound,
            service,
            stop,
            gate,
            worker: tokio::sync::Mutex::new(Some(worker)),
        }
    }

    /// Waits until the jobs under way have ended; no further ones run.
    pub async fn drain(&self) {
        let Some(worker) = self.worker.lock().await.take() else { return };
        worker.drain(std::time::Duration::from_secs(20)).await;
    }

    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call { world: self, request: Request::new(method, format!("{}{path}", self.url)) }
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub fn operator(&self) -> OperatorScope {
        self.scopes.operator(Actor::new("test"))
    }

    pub fn participant(&self, id: &str) -> ParticipantScope {
        self.scopes.participant(id.parse().expect("legal"), Actor::new("test"))
    }

    pub fn did(&self, name: &str) -> Did {
        Did::parse(&format!("did:web:127.0.0.1%3A{}:{name}", self.port)).expect("legal")
    }

    /// A new client of the scope's owner.
    pub async fn client(&self, scope: &dyn Scope, new: NewClient) -> ClientCredentials {
        let mut transaction = self.store.begin(scope);
        let client = self.clients.create_client(&mut transaction, new).await.expect("made");
        transaction.commit().await.expect("committed");
        client
    }

    /// A bearer token of a new client.
    pub async fn token(&self, scope: &dyn Scope, new: NewClient) -> String {
        let client = self.client(scope, new).await;
        let client = ClientAuthentication {
            client_id: client.client_id.to_string(),
            client_secret: client.client_secret.clone(),
        };
        self.clients.token(TokenRequest { client, scope: None }).await.expect("given").token
    }

    pub async fn admin(&self) -> String {
        self.token(&self.operator(), NewClient::admin()).await
    }

    /// Makes an active participant context; returns its DID and a token of its own.
    pub async fn join(&self, name: &str) -> (Did, String) {
        self.join_with(name, &json!({})).await
    }

    /// As [`World::join`], with these settings.
    pub async fn join_with(&self, name: &str, settings: &Value) -> (Did, String) {
        let did = self.did(name);
        let manifest =
            json!({"participantContextId": name, "did": did.as_str(), "active": true, "settings": settings});
        let answer =
            self.post("/api/identity/v1beta/participants").bearer(&self.admin().await).json(&manifest);
        let answer = answer.send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        (did, self.token(&self.participant(name), NewClient::participant()).await)
    }

    /// The events of a participant context from the beginning.
    pub fn events(&self, name: &str) -> impl Stream<Item = Event> + Unpin {
        let audience = Audience::Participant(self.participant(name));
        let events = heddle_bus::follow(self.store.clone(), audience, EventCursor(0));
        Box::pin(events.map(|event| event.expect("readable")))
    }

    /// Waits for the first event of this type.
    pub async fn event(&self, name: &str, kind: &str) -> Event {
        let mut events = self.events(name).filter(|event| std::future::ready(event.kind == kind));
        soon(kind, events.next()).await.expect("a feed has no end")
    }
}

/// What happens in time; a test that waits for what never comes fails instead of hanging.
pub async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let limit = std::time::Duration::from_secs(30);
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| panic!("in vain: {what}"))
}
