//! Calls Administration APIs with the agents' own token.

use std::{fmt, sync::Arc, time::Duration};

use heddle_clock::Timestamp;
use heddle_outbound::{Authorization, Outbound, OutboundError, Request, Response};
use serde::Deserialize;
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

impl AdminClient {
    /// With a client of the token service.
    #[must_use]
    pub fn new(outbound: Outbound, credentials: AdminCredentials) -> Self {
        Self { outbound, credentials: Arc::new(credentials), token: Arc::new(Mutex::new(None)) }
    }

    /// Sends a request.
    pub async fn send(&self, request: Request) -> Result<Response, CallError> {
        let token = self.token().await.map_err(CallError::Token)?;
        self.outbound.send(request.authorization(Authorization::bearer(&token))).await.map_err(CallError::Call)
    }

    /// Sends a request that creates something; that it exists already is as good.
    pub async fn ensure(&self, request: Request) -> Result<(), CallError> {
        self.accepting(request, 409).await
    }

    /// Sends a request that removes something; that it is gone already is as good.
    pub async fn remove(&self, request: Request) -> Result<(), CallError> {
        self.accepting(request, 404).await
    }

    async fn accepting(&self, request: Request, status: u16) -> Result<(), CallError> {
        match self.send(request).await {
            Err(error) if error.status() == Some(status) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Opens a stream, such as a feed of events.
    pub async fn stream(&self, request: Request) -> Result<heddle_outbound::StreamingResponse, CallError> {
        let token = self.token().await.map_err(CallError::Token)?;
        let request = request.authorization(Authorization::bearer(&token));
        self.outbound.stream(request).await.map_err(CallError::Call)
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

impl fmt::Debug for AdminClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminClient").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}
