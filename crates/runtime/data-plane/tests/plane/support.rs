//! A data plane with everything that it needs, and callers of it.

use std::sync::Arc;

use axum::{Router, body::Body};
use bytes::Bytes;
use heddle_auth::{
    Authenticator, ClientAuthentication, NewClient, TokenRequest, TokenService, TokenSettings,
};
use heddle_clock::Environment;
use heddle_data_plane::{DataPlane, DirectoryBlobs, Parts};
use heddle_outbound::{Outbound, OutboundConfig};
use heddle_store::{RunningWorker, Store, Worker, WorkerLimits};
use heddle_store_sqlite::SqliteDatabase;
use heddle_tenancy::{Actor, ParticipantScope, Scope, ScopeIssuer};
use heddle_vault::{EmbeddedVault, MasterKeySource, Vault};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

pub const PUBLIC_URL: &str = "http://data.example";
pub const UPLOAD_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The data plane of one process, and what the tests need of its inside.
pub struct World {
    pub plane: Arc<DataPlane>,
    pub router: Router,
    pub store: Store,
    pub vault: Arc<dyn Vault>,
    pub scopes: Arc<ScopeIssuer>,
    pub tokens: Arc<TokenService>,
    /// Where uploads lie.
    pub folder: Arc<tempfile::TempDir>,
    worker: Option<RunningWorker>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body comes whole").to_bytes();
        Self { status: parts.status, headers: parts.headers, body }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    #[track_caller]
    pub fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

#[expect(clippy::disallowed_methods, reason = "the test is the composition root")]
fn scope_issuer() -> Arc<ScopeIssuer> {
    Arc::new(ScopeIssuer::new())
}

impl World {
    pub async fn start() -> Self {
        let mut world = Self::idle().await;
        world.work();
        world
    }

    /// Jobs wait, until [`World::work`].
    pub async fn idle() -> Self {
        let environment = Environment::system();
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let store = Store::new(Arc::new(database), environment);
        let scopes = scope_issuer();
        let operator = scopes.operator(Actor::new("test"));
        let vault = EmbeddedVault::open(store.clone(), &operator, &MasterKeySource::Ephemeral).await;
        let vault: Arc<dyn Vault> = Arc::new(vault.expect("a new vault opens"));
        let settings = TokenSettings { issuer: PUBLIC_URL.to_owned(), audience: PUBLIC_URL.to_owned() };
        let tokens = TokenService::open(store.clone(), vault.clone(), scopes.clone(), settings).await;
        let tokens = Arc::new(tokens.expect("a token service opens"));
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let plane = plane(&store, &vault, &scopes, &tokens, &folder).await;
        Self { router: plane.router(), plane, store, vault, scopes, tokens, folder, worker: None }
    }

    /// Runs jobs from here on.
    pub fn work(&mut self) {
        let worker = Worker::new(self.store.clone(), self.scopes.clone(), WorkerLimits::default());
        self.worker = Some(self.plane.jobs(worker).start());
    }

    /// Another replica over the same database, vault and uploads.
    pub async fn replica(&self) -> Self {
        let plane = plane(&self.store, &self.vault, &self.scopes, &self.tokens, &self.folder).await;
        Self {
            router: plane.router(),
            plane,
            store: self.store.clone(),
            vault: self.vault.clone(),
            scopes: self.scopes.clone(),
            tokens: self.tokens.clone(),
            folder: self.folder.clone(),
            worker: None,
        }
    }

    pub fn participant(&self, id: &str) -> ParticipantScope {
        self.scopes.participant(id.parse().expect("legal"), Actor::new("test"))
    }

    async fn token(&self, scope: &dyn Scope, new: NewClient) -> String {
        let mut transaction = self.store.begin(scope);
        let client = self.tokens.create_client(&mut transaction, new).await.expect("a client");
        transaction.commit().await.expect("stored");
        let client = ClientAuthentication {
            client_id: client.client_id.to_string(),
            client_secret: client.client_secret.clone(),
        };
        let token = self.tokens.token(TokenRequest { client, scope: None }).await.expect("a token");
        token.token
    }

    /// A token of a participant's own application.
    pub async fn application(&self, participant: &str, scopes: &[&str]) -> String {
        let new =
            NewClient::participant().with_scopes(scopes.iter().map(|&scope| scope.to_owned()).collect());
        self.token(&self.participant(participant), new).await
    }

    /// A token of a service, such as a control plane.
    pub async fn service(&self, id: &str, scopes: &[&str]) -> String {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let new = NewClient::service(scopes).with_client_id(id.parse().expect("legal"));
        self.token(&self.scopes.operator(Actor::new("test")), new).await
    }

    pub async fn send(&self, method: &str, path: &str, token: &str, body: Body) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(body).expect("a request");
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    pub async fn call(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        Answer::of(self.send(method, path, token, body).await).await
    }

    /// The public endpoint of an address, without its origin.
    pub async fn fetch(&self, address: &Address) -> Answer {
        Answer::of(self.send("GET", &address.path, &address.token, Body::empty()).await).await
    }
}

async fn plane(
    store: &Store,
    vault: &Arc<dyn Vault>,
    scopes: &Arc<ScopeIssuer>,
    tokens: &Arc<TokenService>,
    folder: &tempfile::TempDir,
) -> Arc<DataPlane> {
    let environment = store.environment().clone();
    let issuers = vec![tokens.trusted_issuer()];
    let authenticator = Arc::new(Authenticator::new(scopes.clone(), issuers, environment.clone()));
    let config =
        OutboundConfig { allow_http: true, allow_private_addresses: true, ..OutboundConfig::default() };
    let plane = DataPlane::new(Parts {
        store: store.clone(),
        environment: environment.clone(),
        scopes: scopes.clone(),
        authenticator,
        vault: vault.clone(),
        outbound: Outbound::new(config, environment.clone()).expect("a client"),
        blobs: Arc::new(DirectoryBlobs::new(folder.path(), environment)),
        public_url: PUBLIC_URL.to_owned(),
        upload_bytes_max: UPLOAD_BYTES_MAX,
    });
    plane.await.expect("a data plane")
}

/// Where data is, and what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub path: String,
    pub token: String,
}

impl Address {
    pub fn of(status: &Value) -> Self {
        let address = &status["dataAddress"];
        let endpoint = address["endpoint"].as_str().expect("an endpoint");
        let properties = address["endpointProperties"].as_array().expect("properties");
        let property = |name: &str| {
            let found = properties.iter().find(|property| property["name"] == name);
            found.and_then(|property| property["value"].as_str()).expect("the property").to_owned()
        };
        assert_eq!(property("authType"), "bearer");
        let path = endpoint.strip_prefix(PUBLIC_URL).expect("our own endpoint").to_owned();
        Self { path, token: property("authorization") }
    }
}

/// One participant, seen by its application and by its control plane.
pub struct Site<'w> {
    pub world: &'w World,
    pub context: &'static str,
    pub application: String,
    pub control_plane: String,
}

impl<'w> Site<'w> {
    /// Registers the control plane `cp-<context>` for the participant.
    pub async fn new(world: &'w World, context: &'static str, registration: &Value) -> Self {
        let application = world.application(context, &["data-plane-api:write"]).await;
        let id = format!("cp-{context}");
        let control_plane = world.service(&id, &["signaling:write"]).await;
        let site = Self { world, context, application, control_plane };
        let mut body = json!({"controlplaneId": id, "endpoint": "http://127.0.0.1:1/cp"});
        for (name, value) in registration.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        site.own("PUT", "controlplanes", &body).await.expect(StatusCode::OK);
        site
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/api/dataplane/v1/participants/{}/{rest}", self.context)
    }

    /// By the application.
    pub async fn own(&self, method: &str, rest: &str, body: &Value) -> Answer {
        self.world.call(method, &self.path(rest), &self.application, body).await
    }

    /// By the control plane.
    pub async fn signal(&self, rest: &str, body: &Value) -> Answer {
        let path = self.path(&format!("dataflows/{rest}"));
        self.world.call("POST", &path, &self.control_plane, body).await
    }

    pub async fn upload(&self, dataset: &str, content: impl Into<Body>) -> Answer {
        let path = self.path(&format!("sources/{dataset}/content"));
        Answer::of(self.world.send("PUT", &path, &self.application, content.into()).await).await
    }

    /// Starts a flow as its provider.
    pub async fn start(&self, flow: &str, dataset: &str) -> Address {
        let answer = self.signal("start", &opening("m1", flow, dataset)).await.expect(StatusCode::OK);
        Address::of(&answer.json())
    }
}

/// A prepare or a start.
pub fn opening(message: &str, flow: &str, dataset: &str) -> Value {
    json!({
        "messageId": message, "participantId": "did:web:us", "counterPartyId": "did:web:them",
        "dataspaceContext": "test", "processId": flow, "agreementId": "agreement", "datasetId": dataset,
        "profile": "HttpData-PULL", "claims": {},
    })
}
