//! An HTTP client of one server with one identity.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use heddle_clock::{Environment, Timestamp};
use heddle_outbound::{
    Authorization, InvalidConfig, Outbound, OutboundConfig, OutboundError, Request, Response, RetryClass,
    StreamingResponse,
};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    greeting::{GreetingError, greet},
    home::Credentials,
};

/// How long a request is repeated while the server is away.
const PATIENCE: Duration = Duration::from_secs(60);
/// First wait between repetitions; it doubles up to [`WAIT_LONGEST`].
const WAIT_FIRST: Duration = Duration::from_millis(50);
/// Longest wait between repetitions.
const WAIT_LONGEST: Duration = Duration::from_secs(1);

/// What a request came to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no server to talk to.
    #[error(transparent)]
    Greeting(#[from] GreetingError),
    /// The request failed for good, or for longer than patience lasts.
    #[error(transparent)]
    Request(#[from] OutboundError),
    /// An answer lacks what the story needs.
    #[error("the answer of {url} has no '{member}'")]
    Incomplete {
        /// What was asked.
        url: String,
        /// What is missing.
        member: String,
    },
    /// The server does not know who we are.
    #[error(
        "the server at {url} does not accept the credentials of '{client_id}'; name the right file with --credentials"
    )]
    Credentials {
        /// The server.
        url: String,
        /// Who we said we are.
        client_id: String,
    },
    /// Something was waited for and did not come.
    #[error("{0}")]
    Waited(String),
}

impl ClientError {
    /// The status of the server's answer, if one came.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Request(error) => error.status().map(|status| status.as_u16()),
            _ => None,
        }
    }
}

/// The HTTP client of a story: it may talk to servers of this machine and of private networks.
pub fn outbound(environment: &Environment) -> Result<Outbound, InvalidConfig> {
    let config = OutboundConfig {
        allow_http: true,
        allow_private_addresses: true,
        request_timeout: Duration::from_secs(30),
        // Feeds are quiet for as long as nothing happens; the server's comments keep them alive.
        idle_timeout: Duration::from_secs(60),
        body_bytes_max: 16 * 1024 * 1024,
        ..OutboundConfig::default()
    };
    Outbound::new(config, environment.clone())
}

struct Token {
    text: String,
    expires_at: Timestamp,
}

/// One server, spoken to with one client's credentials. Clones share the token.
#[derive(Clone)]
pub struct Client {
    outbound: Outbound,
    environment: Environment,
    credentials: Arc<Credentials>,
    token: Arc<Mutex<Option<Token>>>,
    run: Arc<str>,
}

impl Client {
    /// `run` makes idempotency keys different between stories and the same within one.
    pub fn new(outbound: Outbound, environment: Environment, credentials: Credentials, run: &str) -> Self {
        let token = Arc::new(Mutex::new(None));
        Self { outbound, environment, credentials: Arc::new(credentials), token, run: run.into() }
    }

    /// The same server with another identity.
    pub fn as_client(&self, client_id: String, client_secret: String) -> Self {
        let credentials = Credentials { url: self.base().to_owned(), client_id, client_secret };
        Self::new(self.outbound.clone(), self.environment.clone(), credentials, &self.run)
    }

    /// The server's URL, without a slash at the end.
    pub fn base(&self) -> &str {
        self.credentials.url.trim_end_matches('/')
    }

    /// Credentials, to be remembered for a later story.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Whether the server is there, is Heddle, and knows these credentials.
    pub async fn log_in(&self) -> Result<(), ClientError> {
        greet(&self.outbound, self.base()).await?;
        match self.patiently(|| Box::pin(self.token())).await {
            Err(error) if matches!(error.status(), Some(400 | 401)) => Err(ClientError::Credentials {
                url: self.base().to_owned(),
                client_id: self.credentials.client_id.clone(),
            }),
            other => other.map(drop),
        }
    }

    /// `GET` of JSON.
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        let answer = self.send(|| Request::get(self.url(path))).await?;
        Ok(answer.json()?)
    }

    /// `POST` of JSON, once: `step` is its idempotency key within the story.
    pub async fn create(&self, step: &str, path: &str, body: &Value) -> Result<Value, ClientError> {
        let key = format!("{}-{step}", self.run);
        let request = || Request::post(self.url(path)).json_of(body).idempotency_key(key.clone());
        json_or_null(&self.send(request).await?)
    }

    /// As [`Client::create`]; that the thing exists already is as good (409).
    pub async fn ensure(&self, step: &str, path: &str, body: &Value) -> Result<(), ClientError> {
        match self.create(step, path, body).await {
            Err(error) if error.status() == Some(409) => Ok(()),
            other => other.map(drop),
        }
    }

    /// `POST` of JSON that only reads.
    pub async fn query(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        json_or_null(&self.send(|| Request::post(self.url(path)).json_of(body)).await?)
    }

    /// `PUT` of JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Result<(), ClientError> {
        let put = || Request::new(http::Method::PUT, self.url(path)).json_of(body);
        self.send(put).await.map(drop)
    }

    /// Sends what `request` makes, again and again with the same content while the server is away.
    pub async fn send(&self, request: impl Fn() -> Request + Sync) -> Result<Response, ClientError> {
        self.patiently(|| {
            let request = request();
            Box::pin(async move { self.outbound.send(self.authorized(request).await?).await })
        })
        .await
    }

    /// As [`Client::send`], for an answer that is read piece by piece.
    pub async fn stream(
        &self,
        request: impl Fn() -> Request + Sync,
    ) -> Result<StreamingResponse, ClientError> {
        self.patiently(|| {
            let request = request();
            Box::pin(async move { self.outbound.stream(self.authorized(request).await?).await })
        })
        .await
    }

    /// As [`Client::stream`], for who can use nothing but a good answer. One that says that the server is away (of a
    /// proxy before it, too) or cannot answer now is as none: the request is sent again.
    pub async fn open(&self, request: impl Fn() -> Request + Sync) -> Result<StreamingResponse, ClientError> {
        self.patiently(|| {
            let request = request();
            Box::pin(async move { good(self.outbound.stream(self.authorized(request).await?).await?) })
        })
        .await
    }

    /// As [`Client::open`], with a token of somebody else's making.
    pub async fn fetch(&self, url: &str, authorization: &str) -> Result<StreamingResponse, ClientError> {
        self.patiently(|| {
            let request =
                Request::get(url).accept("*/*").authorization(Authorization::verbatim(authorization));
            Box::pin(async move { good(self.outbound.stream(request).await?) })
        })
        .await
    }

    async fn patiently<'a, T>(
        &'a self,
        attempt: impl Fn() -> BoxFuture<'a, Result<T, OutboundError>>,
    ) -> Result<T, ClientError> {
        let give_up = self.environment.now() + PATIENCE;
        let mut wait = WAIT_FIRST;
        loop {
            match attempt().await {
                Err(error)
                    if matches!(error.class(), RetryClass::Retry { .. })
                        && self.environment.now() < give_up =>
                {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(WAIT_LONGEST);
                }
                other => return Ok(other?),
            }
        }
    }

    async fn authorized(&self, request: Request) -> Result<Request, OutboundError> {
        Ok(request.authorization(Authorization::bearer(&self.token().await?)))
    }

    async fn token(&self) -> Result<String, OutboundError> {
        #[derive(Deserialize)]
        struct Issued {
            access_token: String,
            expires_in: u64,
        }
        let mut token = self.token.lock().await;
        let soon = self.environment.now() + Duration::from_secs(30);
        if let Some(token) = token.as_ref().filter(|token| token.expires_at > soon) {
            return Ok(token.text.clone());
        }
        let request = Request::post(self.url("/oauth/token")).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &self.credentials.client_id),
            ("client_secret", &self.credentials.client_secret),
        ]);
        let issued: Issued = self.outbound.send(request).await?.json()?;
        let expires_at = self.environment.now() + Duration::from_secs(issued.expires_in);
        *token = Some(Token { text: issued.access_token.clone(), expires_at });
        Ok(issued.access_token)
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base()) }
    }
}

/// A success; everything else is an error, as with requests whose answers are read whole.
fn good(answer: StreamingResponse) -> Result<StreamingResponse, OutboundError> {
    if answer.status().is_success() { Ok(answer) } else { Err(answer.refused()) }
}

fn json_or_null(answer: &Response) -> Result<Value, ClientError> {
    if answer.body().is_empty() { Ok(Value::Null) } else { Ok(answer.json()?) }
}

/// The text member `name` of an answer.
pub fn text_of(answer: &Value, name: &str, url: &str) -> Result<String, ClientError> {
    let missing = || ClientError::Incomplete { url: url.to_owned(), member: name.to_owned() };
    answer[name].as_str().map(str::to_owned).ok_or_else(missing)
}
