//! A party of somebody else's: its key, its DID document, and an issuer that answers as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use heddle_clock::Timestamp;
use heddle_credentials::{CredentialDraft, vc11};
use heddle_did::{Did, DidDocument, Relationship};
use heddle_jose::{Algorithm, Header, SoftwareKey, sign_compact};
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, sync::mpsc};

use crate::support::{now, soon};

/// A request that reached the issuer.
pub struct Received {
    pub bearer: String,
    /// Its `Idempotency-Key`.
    pub key: String,
    pub body: Value,
    /// Answers it: a status, and a location.
    pub answer: tokio::sync::oneshot::Sender<(u16, Option<String>)>,
}

/// The party.
pub struct Peer {
    pub did: Did,
    pub key: SoftwareKey,
    requests: tokio::sync::Mutex<mpsc::UnboundedReceiver<Received>>,
    pub metadata: Arc<Mutex<VecDeque<Value>>>,
}

#[derive(Clone)]
struct Server {
    document: Arc<Vec<u8>>,
    requests: mpsc::UnboundedSender<Received>,
    metadata: Arc<Mutex<VecDeque<Value>>>,
}

impl Peer {
    pub async fn start(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let did = Did::parse(&format!("did:web:127.0.0.1%3A{port}:{name}")).expect("legal");
        let key = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
        let base = format!("http://127.0.0.1:{port}");
        let document = DidDocument::new(did.clone())
            .with_key("key-1", key.public_jwk(None), &Relationship::ALL)
            .with_service("issuer", "IssuerService", base.as_str());
        let (sender, receiver) = mpsc::unbounded_channel();
        let metadata = Arc::new(Mutex::new(VecDeque::new()));
        let server = Server {
            document: Arc::new(serde_json::to_vec(&document).expect("serialises")),
            requests: sender,
            metadata: metadata.clone(),
        };
        let router = Router::new()
            .route(
                &format!("/{name}/did.json"),
                get(|State(s): State<Server>| async move { s.document.to_vec() }),
            )
            .route("/credentials", post(received))
            .route(
                "/metadata",
                get(|State(s): State<Server>| async move {
                    Json(s.metadata.lock().expect("not poisoned").pop_front())
                }),
            )
            .with_state(server);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { did, key, requests: tokio::sync::Mutex::new(receiver), metadata }
    }

    /// The next request that reaches this issuer.
    pub async fn next_request(&self) -> Received {
        let mut requests = self.requests.lock().await;
        soon("a request", requests.recv()).await.expect("the server lives")
    }

    pub fn kid(&self) -> String {
        self.did.url("key-1")
    }

    /// A self-issued token, with these claims over the usual ones; a claim that is null is left out.
    pub fn token(&self, audience: &Did, claims: &Value) -> String {
        self.token_with(&self.key, audience, claims)
    }

    /// As [`Peer::token`], signed with another key under the same id.
    pub fn token_with(&self, key: &SoftwareKey, audience: &Did, claims: &Value) -> String {
        let (did, at) = (self.did.as_str(), now().as_seconds());
        let mut all = json!({"iss": did, "sub": did, "aud": audience.as_str(), "jti": unique(), "iat": at, "exp": at + 300});
        let members = all.as_object_mut().expect("an object");
        for (name, value) in claims.as_object().expect("an object") {
            members.insert(name.clone(), value.clone());
        }
        members.retain(|_, value| !value.is_null());
        sign_compact(key, Header::jwt(Algorithm::Es256, self.kid()), &all).expect("signs")
    }

    /// A credential of this issuer.
    pub fn credential(&self, kind: &str, subject: &Did) -> String {
        self.signed(&self.draft(kind, subject), &self.key)
    }

    pub fn draft(&self, kind: &str, subject: &Did) -> CredentialDraft {
        let claims = json!({"level": "gold"});
        CredentialDraft {
            id: format!("urn:uuid:{}", unique()),
            contexts: Vec::new(),
            types: vec![kind.to_owned()],
            issuer: self.did.to_string(),
            subject: subject.to_string(),
            claims: claims.as_object().cloned().unwrap_or_else(Map::new),
            issued_at: now(),
            valid_until: now() + std::time::Duration::from_secs(300),
            status: None,
            schema: None,
        }
    }

    pub fn signed(&self, draft: &CredentialDraft, key: &SoftwareKey) -> String {
        let unsigned = vc11::unsigned(draft, &self.kid(), Algorithm::Es256).expect("written");
        unsigned.sign(key).expect("signs")
    }
}

/// A message that delivers these credentials.
pub fn delivery(holder_pid: &str, credentials: &[(&str, &str)]) -> Value {
    let container = |(kind, jwt): &(&str, &str)| json!({"credentialType": kind, "payload": jwt, "format": "vc11-sl2021/jwt"});
    json!({
        "@context": ["https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"],
        "type": "CredentialMessage",
        "issuerPid": unique(),
        "holderPid": holder_pid,
        "status": "ISSUED",
        "credentials": credentials.iter().map(container).collect::<Vec<_>>(),
    })
}

pub fn unique() -> String {
    heddle_clock::Environment::system().uuid()
}

/// An hour from `at`, in seconds.
pub fn hours(at: Timestamp, hours: i64) -> i64 {
    at.as_seconds() + hours * 3600
}

async fn received(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bearer = text(header::AUTHORIZATION.as_str());
    let (answer, answered) = tokio::sync::oneshot::channel();
    let received = Received {
        bearer: bearer.trim_start_matches("Bearer ").to_owned(),
        key: text("idempotency-key").to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        answer,
    };
    server.requests.send(received).map_err(|_| ()).expect("the test listens");
    let (status, location) = answered.await.unwrap_or((500, None));
    let status = StatusCode::from_u16(status).expect("a status");
    match location {
        Some(location) => (status, [(header::LOCATION, location)]).into_response(),
        None => status.into_response(),
    }
}
