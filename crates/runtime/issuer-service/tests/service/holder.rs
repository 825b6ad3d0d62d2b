//! A holder of somebody else's: its key, its DID document, and a credential service that answers as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::{get, post},
};
use heddle_did::{Did, DidDocument, Relationship};
use heddle_jose::{Algorithm, Header, SoftwareKey, sign_compact};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

use crate::{
    call::Answer,
    support::{DCP, World, now, soon, unique},
};

/// A message that reached the credential service.
pub struct Delivery {
    pub bearer: String,
    pub body: Value,
}

impl Delivery {
    /// The tokens of the credentials in it.
    pub fn payloads(&self) -> Vec<String> {
        let credentials = self.body["credentials"].as_array().cloned().unwrap_or_default();
        credentials.iter().map(|one| one["payload"].as_str().expect("a token").to_owned()).collect()
    }
}

/// The holder.
pub struct Holder {
    pub did: Did,
    pub key: SoftwareKey,
    /// What the next deliveries are answered with; 200 when there is nothing left.
    pub answers: Arc<Mutex<VecDeque<u16>>>,
    deliveries: tokio::sync::Mutex<mpsc::UnboundedReceiver<Delivery>>,
}

#[derive(Clone)]
struct Server {
    document: Arc<Vec<u8>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    deliveries: mpsc::UnboundedSender<Delivery>,
}

impl Holder {
    pub async fn start() -> Self {
        Self::start_with(|document, base| document.with_service("cs", "CredentialService", base)).await
    }

    /// Its document may be made into another one.
    pub async fn start_with(change: impl FnOnce(DidDocument, &str) -> DidDocument) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let did = Did::parse(&format!("did:web:127.0.0.1%3A{port}:holder")).expect("legal");
        let key = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
        let document =
            DidDocument::new(did.clone()).with_key("key-1", key.public_jwk(None), &Relationship::ALL);
        let document = change(document, &format!("http://127.0.0.1:{port}"));
        let (sender, receiver) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let server = Server {
            document: Arc::new(serde_json::to_vec(&document).expect("serialises")),
            answers: answers.clone(),
            deliveries: sender,
        };
        let router = Router::new()
            .route("/holder/did.json", get(|State(s): State<Server>| async move { s.document.to_vec() }))
            .route("/credentials", post(receive))
            .with_state(server);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { did, key, answers, deliveries: tokio::sync::Mutex::new(receiver) }
    }

    /// The next message that reaches this holder.
    pub async fn delivery(&self) -> Delivery {
        let mut deliveries = self.deliveries.lock().await;
        soon("a delivery", deliveries.recv()).await.expect("the server lives")
    }

    /// Whether nothing has reached this holder that was not looked at.
    pub async fn has_nothing_more(&self) -> bool {
        self.deliveries.lock().await.try_recv().is_err()
    }

    /// A self-issued token, with these claims over the usual ones; a claim that is null is left out.
    pub fn token(&self, audience: &Did, claims: &Value) -> String {
        self.token_with(&self.key, audience, claims)
    }

    /// As [`Holder::token`], signed with another key under the same id.
    pub fn token_with(&self, key: &SoftwareKey, audience: &Did, claims: &Value) -> String {
        let (did, at) = (self.did.as_str(), now().as_seconds());
        let mut all = json!({"iss": did, "sub": did, "aud": audience.as_str(), "jti": unique(), "iat": at, "exp": at + 300});
        let members = all.as_object_mut().expect("an object");
        for (name, value) in claims.as_object().expect("an object") {
            members.insert(name.clone(), value.clone());
        }
        members.retain(|_, value| !value.is_null());
        sign_compact(key, Header::jwt(Algorithm::Es256, self.did.url("key-1")), &all).expect("signs")
    }

    /// Asks for these definitions.
    pub async fn ask(&self, world: &World, holder_pid: &str, definitions: &[&str]) -> Answer {
        let token = self.token(&world.did, &json!({}));
        world
            .post(&format!("{DCP}/credentials"))
            .bearer(&token)
            .json(&wanted(holder_pid, definitions))
            .send()
            .await
    }

    /// Asks for the usual definition, under an `Idempotency-Key`.
    pub async fn ask_as(&self, world: &World, key: &str, holder_pid: &str) -> Answer {
        let token = self.token(&world.did, &json!({}));
        let ask = world.post(&format!("{DCP}/credentials")).bearer(&token).header("idempotency-key", key);
        ask.json(&wanted(holder_pid, &["membership-def"])).send().await
    }

    /// Asks for the status at a location.
    pub async fn status(&self, world: &World, location: &str) -> Answer {
        world.get(location).bearer(&self.token(&world.did, &json!({}))).send().await
    }
}

/// A request message.
pub fn wanted(holder_pid: &str, definitions: &[&str]) -> Value {
    let credentials: Vec<Value> = definitions.iter().map(|id| json!({"id": id})).collect();
    json!({
        "@context": ["https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"],
        "type": "CredentialRequestMessage",
        "holderPid": holder_pid,
        "credentials": credentials,
    })
}

async fn receive(State(server): State<Server>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let delivery = Delivery {
        bearer: bearer.trim_start_matches("Bearer ").to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let answer = server.answers.lock().expect("not poisoned").pop_front().unwrap_or(200);
    server.deliveries.send(delivery).map_err(|_| ()).expect("the test listens");
    StatusCode::from_u16(answer).expect("a status")
}
