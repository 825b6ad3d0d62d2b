//! Calls Administration APIs with the agents' own token.

use std::{fmt, sync::Arc, time::Duration};

use heddle_clock::Timestamp;
use heddle_outbound::{Authorization, Outbound, OutboundError, Request, Response, StreamingResponse};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

/// A token is not used in the last part of its life.
const MARGIN: Duration = Duration::from_secs(30);

/// A client of the token service.
#[derive(Clone)]
pub struct AdminCredentials {
    /// Where tokens are given.
    pub token_endpoint: String,
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
}

impl fmt::Debug for AdminCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminCredentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The call itself.
    #[error(transparent)]
    Call(OutboundError),
    /// No token was given for it.
    #[error("no token was given: {0}")]
    Token(OutboundError),
}

impl CallError {
    /// The status of the answer, if one came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Call(error) => error.status().map(|status| status.as_u16()),
            Self::Token(_) => None,
        }
    }
}

/// Where something that may exist already is shown, and how to tell that it is the same thing.
#[derive(Debug, Clone, Copy)]
pub struct Existing<'a> {
    /// Its URL.
    pub url: &'a str,
    /// The member of its document that tells.
    pub member: &'a str,
    /// The text that this member has when it is the same.
    pub value: &'a str,
}

/// Sends requests with a token that is renewed in time. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct AdminClient {
    outbound: Outbound,
    credentials: Arc<AdminCredentials>,
    token: Arc<Mutex<Option<(String, Timestamp)>>>,
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

/// How something came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ensured {
    /// The request made it, now or when it was sent before with the same key.
    Made,
    /// It had been there.
    WasThere,
}

impl AdminClient {
    /// With a client of the token service.
    #[must_use]
    pub fn new(outbound: Outbound, credentials: AdminCredentials) -> Self {
        Self { outbound, credentials: Arc::new(credentials), token: Arc::new(Mutex::new(None)) }
    }

    /// Sends a request.
    pub async fn send(&self, request: Request) -> Result<Response, CallError> {
        let token = self.token().await.map_err(CallError::Token)?;
        let answer = self.outbound.send(request.authorization(Authorization::bearer(&token))).await;
        self.judged(answer.map_err(CallError::Call)).await
    }

    /// Sends a request that creates something. A conflict is as good when what is there already is the same thing, as after
    /// a run whose answer was lost; when it is another thing, the conflict comes back.
    pub async fn ensure(&self, create: Request, same: Existing<'_>) -> Result<Ensured, CallError> {
        let conflict = match self.send(create).await {
            Err(error) if error.status() == Some(409) => error,
            other => return other.map(|_| Ensured::Made),
        };
        let there = match self.send(Request::get(same.url)).await {
            Err(error) if error.status() == Some(404) => return Err(conflict),
            other => other?,
        };
        let document: Value = there.json().map_err(CallError::Call)?;
        if document[same.member] == same.value { Ok(Ensured::WasThere) } else { Err(conflict) }
    }

    /// Sends a request that removes something; that it is gone already is as good.
    pub async fn remove(&self, request: Request) -> Result<(), CallError> {
        match self.send(request).await {
            Err(error) if error.status() == Some(404) => Ok(()),
            other => other.map(drop),
        }
    }

    /// A token that was refused is not used again: its key may have been rotated.
    async fn judged<T>(&self, answer: Result<T, CallError>) -> Result<T, CallError> {
        if answer.as_ref().is_err_and(|error| error.status() == Some(401)) {
            *self.token.lock().await = None;
        }
        answer
    }

    /// Opens a stream, such as a feed of events. Everything but 2xx is an error, as with [`AdminClient::send`].
    pub async fn stream(&self, request: Request) -> Result<StreamingResponse, CallError> {
        let token = self.token().await.map_err(CallError::Token)?;
        let answer = self.outbound.stream(request.authorization(Authorization::bearer(&token))).await;
        let answer = match answer {
            Ok(response) if !response.status().is_success() => Err(refused(&response)),
            other => other,
        };
        self.judged(answer.map_err(CallError::Call)).await
    }

    async fn token(&self) -> Result<String, OutboundError> {
        let mut kept = self.token.lock().await;
        let now = self.outbound.environment().now();
        if let Some((token, until)) = kept.as_ref()
            && *until > now
        {
            return Ok(token.clone());
        }
        let AdminCredentials { token_endpoint, client_id, client_secret } = self.credentials.as_ref();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.as_str()),
        ];
        let issued: Issued = self.outbound.send(Request::post(token_endpoint).form(&form)).await?.json()?;
        let lifetime = Duration::from_secs(issued.expires_in.unwrap_or(60)).saturating_sub(MARGIN);
        *kept = Some((issued.access_token.clone(), now + lifetime));
        Ok(issued.access_token)
    }
}

fn refused(response: &StreamingResponse) -> OutboundError {
    OutboundError::Status {
        url: "the feed".to_owned(),
        status: response.status(),
        body_excerpt: "no stream was opened".to_owned(),
        retry_after: None,
    }
}

impl fmt::Debug for AdminClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminClient").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}
