//! A control plane on a port of its own, with two participants that know each other by the static identity service.

mod documents;
mod feed;
mod gate;
mod peer;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use axum::{Router, body::Body};
use heddle_auth::{
    Authenticator, ClientAuthentication, NewClient, SelfIssuedError, SelfIssuedTokens, TokenRequest,
    TokenService, TokenSettings,
};
use heddle_clock::Environment;
use heddle_control_plane::{ControlPlane, Parts, Patience};
use heddle_did::web::Scheme;
use heddle_ids::ParticipantId;
use heddle_outbound::{DidResolver, Outbound, OutboundConfig};
use heddle_store::{RunningWorker, Store, Worker, WorkerLimits, testing::Intercepted};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, DevelopmentMode, ParticipantScope, Scope, ScopeIssuer, StaticPeers};
use heddle_vault::{EmbeddedVault, MasterKeySource, Vault};
use heddle_web::{Shutdown, Stop};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

pub use documents::{
    asset, criterion, data_plane, data_plane_at, definition, document, participant_document, policy,
    profile_document,
};
pub use feed::Feed;
pub use peer::Peer;

pub const CONTEXT: &str = "https://w3id.org/edc/connector/management/v2";
pub const DSP: &str = "https://w3id.org/dspace/2025/1/context.jsonld";
pub const BASE: &str = "/api/mgmt/v5beta";
/// An origin of the installation at which nobody listens.
pub const UNREACHABLE: &str = "http://127.0.0.1:9";
/// The dataspace profile of both participants.
pub const PROFILE: &str = "test-space";
/// What the participants `provider`, `consumer` and `other` send as `Authorization`.
pub const PEERS: [(&str, &str); 3] =
    [("provider", "as provider"), ("consumer", "as consumer"), ("other", "as other")];

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Asserts the status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Asserts the status and that the body is an error array; gives its first element.
    #[track_caller]
    pub fn refused(self, status: u16) -> Value {
        let errors = self.is(status).json();
        let first = errors.get(0).cloned().unwrap_or_else(|| panic!("no error array: {errors}"));
        for member in ["message", "type", "path", "invalidValue"] {
            assert!(first.get(member).is_some(), "no '{member}': {first}");
        }
        first
    }
}

/// The control plane and what the tests need of its inside.
pub struct World {
    pub router: Router,
    pub url: String,
    _stop: Stop,
    pub admin: String,
    pub vault: Arc<dyn Vault>,
    clients: Arc<TokenService>,
    scopes: Arc<ScopeIssuer>,
    store: Store,
    gate: Arc<Intercepted<gate::Gate>>,
    worker: Option<RunningWorker>,
}

struct NoTokens;

#[async_trait]
impl SelfIssuedTokens for NoTokens {
    async fn token(
        &self,
        _scope: &ParticipantScope,
        _audience: &ParticipantId,
        _bearer_scope: &[String],
        _access_token: Option<&str>,
    ) -> Result<String, SelfIssuedError> {
        Err(SelfIssuedError::Unable { reason: "a test without DCP".to_owned() })
    }
}

pub fn did(name: &str) -> String {
    format!("did:web:{name}.example")
}

#[expect(clippy::disallowed_methods, reason = "the tests play the composition root in development")]
fn composition() -> (Arc<ScopeIssuer>, StaticPeers) {
    let id = |name: &str| ParticipantId::parse(did(name)).expect("legal");
    let accepts = PEERS.map(|(name, value)| (value.to_owned(), id(name)));
    let sends = PEERS.map(|(name, value)| (name.parse().expect("legal"), value.to_owned()));
    let peers = StaticPeers::new(&DevelopmentMode::new(), BTreeMap::from(accepts), BTreeMap::from(sends));
    (Arc::new(ScopeIssuer::new()), peers)
}

impl World {
    /// Nothing but an administrator.
    pub async fn empty() -> Self {
        Self::beside(UNREACHABLE).await
    }

    /// As [`World::empty`]; calls to this origin are let through.
    pub async fn beside(origin: &str) -> Self {
        Self::patient(origin, Patience::default()).await
    }

    async fn patient(origin: &str, patience: Patience) -> Self {
        let environment = Environment::system();
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let gate = Arc::new(Intercepted::new(Arc::new(database), gate::Gate::default()));
        let store = Store::new(gate.clone(), environment.clone());
        let (scopes, static_peers) = composition();
        let operator = scopes.operator(Actor::new("test"));
        let vault = EmbeddedVault::open(store.clone(), &operator, &MasterKeySource::Ephemeral).await;
        let vault: Arc<dyn Vault> = Arc::new(vault.expect("a new vault opens"));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let settings = TokenSettings { issuer: url.clone(), audience: url.clone() };
        let clients = TokenService::open(store.clone(), vault.clone(), scopes.clone(), settings).await;
        let clients = Arc::new(clients.expect("a token service opens"));
        let authenticator =
            Authenticator::new(scopes.clone(), vec![clients.trusted_issuer()], environment.clone());
        let config =
            OutboundConfig { own_origins: vec![url.clone(), origin.to_owned()], ..OutboundConfig::default() };
        let outbound = Outbound::new(config, environment.clone()).expect("a client");
        let (stop, shutdown) = Shutdown::pair();
        let plane = ControlPlane::new(Parts {
            store: store.clone(),
            environment,
            scopes: scopes.clone(),
            authenticator: Arc::new(authenticator),
            vault: vault.clone(),
            resolver: DidResolver::new(outbound.clone(), Scheme::Http),
            outbound,
            tokens: Arc::new(NoTokens),
            static_peers: Some(static_peers),
            public_url: url.clone(),
            shutdown,
            patience,
        });
        let worker = plane.jobs(Worker::new(store.clone(), scopes.clone(), WorkerLimits::default())).start();
        let router = plane.router();
        let served = router.clone();
        tokio::spawn(async move { axum::serve(listener, served).await });
        let worker = Some(worker);
        let mut world = Self {
            router,
            url,
            _stop: stop,
            admin: String::new(),
            vault,
            clients,
            scopes,
            store,
            gate,
            worker,
        };
        world.admin = world.token(&operator, NewClient::admin()).await;
        world
    }

    /// With a dataspace profile and two active participants in it, `provider` and `consumer`; gives their tokens.
    pub async fn with_participants() -> (Self, String, String) {
        Self::with_participants_beside(UNREACHABLE).await
    }

    /// As [`World::with_participants`], and [`World::beside`].
    pub async fn with_participants_beside(origin: &str) -> (Self, String, String) {
        Self::with_patient_participants(origin, Patience::default()).await
    }

    /// As [`World::with_participants_beside`], with this much patience.
    pub async fn with_patient_participants(origin: &str, patience: Patience) -> (Self, String, String) {
        let world = Self::patient(origin, patience).await;
        world.admin_post("/dataspaceprofiles", &profile_document(PROFILE)).await.is(200);
        for name in ["provider", "consumer"] {
            world.add_participant(name).await;
        }
        let (provider, consumer) = (world.participant("provider").await, world.participant("consumer").await);
        (world, provider, consumer)
    }

    pub async fn add_participant(&self, name: &str) {
        self.admin_post("/participants", &participant_document(name)).await.is(200);
        let association = document("AssociateDataspaceProfile", json!({"profiles": [PROFILE]}));
        self.ask("PUT", &format!("/participants/{name}/profiles"), &self.admin, Some(&association))
            .await
            .is(204);
    }

    /// A token of a new client of the scope's owner.
    pub async fn token(&self, scope: &dyn Scope, new: NewClient) -> String {
        let mut transaction = self.store.begin(scope);
        let client = self.clients.create_client(&mut transaction, new).await.expect("a client");
        transaction.commit().await.expect("commits");
        let client = ClientAuthentication {
            client_id: client.client_id.to_string(),
            client_secret: client.client_secret,
        };
        self.clients.token(TokenRequest { client, scope: None }).await.expect("a token").token
    }

    pub fn scope_of(&self, context: &str) -> ParticipantScope {
        self.scopes.participant(context.parse().expect("legal"), Actor::new("test"))
    }

    pub async fn participant(&self, context: &str) -> String {
        self.token(&self.scope_of(context), NewClient::participant()).await
    }

    pub async fn installation(&self, new: NewClient) -> String {
        self.token(&self.scopes.operator(Actor::new("test")), new).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// A request to the Management API; `path` is below its base.
    pub async fn ask(&self, method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
        self.send(request(method, &format!("{BASE}{path}"), &format!("Bearer {token}"), body)).await
    }

    pub async fn admin_post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &self.admin, Some(body)).await
    }

    /// A request to the Dataspace Protocol endpoints of `provider`.
    pub async fn dsp(&self, method: &str, path: &str, authorization: &str, body: Option<&Value>) -> Answer {
        self.send(request(method, &format!("/api/dsp/provider/{PROFILE}{path}"), authorization, body)).await
    }

    /// Where others reach a participant.
    pub fn address(&self, context: &str) -> String {
        format!("{}/api/dsp/{context}/{PROFILE}", self.url)
    }

    /// What happens between what the next request has read and what it writes.
    pub fn before_the_next_commit(&self, event: impl Future<Output = ()> + Send + 'static) {
        self.gate.commits.before_the_next(event);
    }

    /// Ends when every job that is due has run.
    pub async fn settle(&mut self) {
        let worker = self.worker.take().expect("it is drained once");
        worker.drain(std::time::Duration::from_secs(10)).await;
    }
}

pub fn request(method: &str, path: &str, authorization: &str, body: Option<&Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    let body = body.map(|body| {
        request = std::mem::take(&mut request).header("content-type", "application/json");
        Body::from(body.to_string())
    });
    request.body(body.unwrap_or_default()).expect("a request")
}
