//! An identity provider of the test's own, so that tokens can be had that are wrong in one respect alone.

use heddle_clock::Environment;
use heddle_jose::{Algorithm, Header, JwkSet, SoftwareKey, sign_compact};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// The audience that its tokens must name here.
pub const AUDIENCE: &str = "heddle-under-test";
/// How long a token is good, in seconds.
const LIFETIME: i64 = 600;

/// An issuer with one key, which it publishes.
pub struct Idp {
    key: SoftwareKey,
    issuer: String,
    environment: Environment,
}

impl Idp {
    /// One that publishes its key on a port of its own, and goes by this clock.
    pub async fn start(environment: Environment) -> Self {
        let key = SoftwareKey::generate(Algorithm::Es256).expect("entropy");
        let keys = JwkSet { keys: vec![key.public_jwk(Some("k1"))] };
        let text = serde_json::to_string(&keys).expect("it is JSON");
        let port = heddle_e2e::fire::free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        tokio::spawn(publish(listener, text));
        Self { key, issuer: format!("http://127.0.0.1:{port}"), environment }
    }

    /// The part of a configuration that trusts it.
    pub fn trusted(&self) -> String {
        let issuer = &self.issuer;
        format!(
            "[[auth.issuers]]\nissuer = \"{issuer}\"\njwks_url = \"{issuer}/jwks\"\naudience = \"{AUDIENCE}\"\n\
             clock_skew_seconds = 0\n"
        )
    }

    /// A token with these claims over those that make it good.
    pub fn token(&self, claims: &Value) -> String {
        sign_compact(&self.key, Header::jwt(Algorithm::Es256, "k1"), &self.claims(claims)).expect("it signs")
    }

    /// The same, good until a moment ago.
    pub fn expired(&self, claims: &Value) -> String {
        let now = self.environment.now().as_seconds();
        let mut claims = self.claims(claims);
        (claims["iat"], claims["exp"]) = (json!(now - LIFETIME - 2), json!(now - 2));
        sign_compact(&self.key, Header::jwt(Algorithm::Es256, "k1"), &claims).expect("it signs")
    }

    fn claims(&self, over: &Value) -> Value {
        let now = self.environment.now().as_seconds();
        let mut all = json!({
            "iss": self.issuer, "aud": AUDIENCE, "iat": now, "exp": now + LIFETIME, "sub": "isolation-suite",
        });
        for (name, value) in over.as_object().expect("claims") {
            all[name] = value.clone();
        }
        all
    }
}

/// Answers every request with the keys.
async fn publish(listener: TcpListener, keys: String) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let answer = format!("{head}Content-Length: {}\r\n\r\n{keys}", keys.len());
    while let Ok((mut connection, _)) = listener.accept().await {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            match connection.read_u8().await {
                Ok(byte) => request.push(byte),
                Err(_) => break,
            }
        }
        // A client that is gone needs no answer.
        drop(connection.write_all(answer.as_bytes()).await);
    }
}
