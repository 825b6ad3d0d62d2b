//! Who begins games and watches them: a client like any other, over HTTP.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use futures::StreamExt as _;
use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_outbound::{
    Authorization, Outbound, OutboundConfig, OutboundError, Request, Response, RetryClass, StreamingResponse,
};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    api,
    game::{Game, GameId, Hit},
};

/// How long an umpire waits before it asks a server again that does not answer.
const PAUSE: Duration = Duration::from_millis(200);
/// How often it asks.
const ATTEMPTS_MAX: u32 = 300;

/// How an umpire authenticates at one side; the side writes them into its data directory.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// The base URL of the side.
    pub url: String,
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: String,
}

/// An umpire at one side.
#[derive(Debug, Clone)]
pub struct Umpire {
    credentials: Credentials,
    outbound: Outbound,
}

/// An event of a participant context.
#[derive(Debug, Deserialize)]
pub struct Told {
    /// Its place in the order.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The game.
    pub subject: String,
    /// What it tells, as JSON text.
    pub payload: Box<RawValue>,
}

/// Events of a participant context, one after the other, over every break of the connection.
#[derive(Debug)]
pub struct Feed {
    umpire: Umpire,
    url: String,
    last: String,
    open: Option<StreamingResponse>,
    buffer: Vec<u8>,
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
}

impl Umpire {
    /// Reads the credentials that a side has written down.
    ///
    /// # Errors
    /// When there are none, or they cannot be read.
    pub fn read(path: &Path, environment: &Environment) -> anyhow::Result<Self> {
        let text = std::fs::read(path);
        let text = text.with_context(|| format!("no credentials can be read from {}", path.display()))?;
        let credentials: Credentials = serde_json::from_slice(&text)
            .with_context(|| format!("{} holds no credentials of an umpire", path.display()))?;
        let own_origins = vec![credentials.url.clone()];
        let config = OutboundConfig { own_origins, ..OutboundConfig::default() };
        Ok(Self { credentials, outbound: Outbound::new(config, environment.clone())? })
    }

    /// Begins a game of `until` hits: its first hit comes to this side. Doing it twice begins it once.
    ///
    /// # Errors
    /// When the side refuses, or does not answer for a minute.
    pub async fn begin(
        &self,
        context: &ParticipantContextId,
        game: &GameId,
        until: u64,
    ) -> anyhow::Result<()> {
        self.hit(context, game, Hit::first(until)).await
    }

    /// Makes a hit that comes to this side. Doing it twice makes it once.
    ///
    /// # Errors
    /// When the side refuses, or does not answer for a minute.
    pub async fn hit(&self, context: &ParticipantContextId, game: &GameId, hit: Hit) -> anyhow::Result<()> {
        let url = api::hits_url(&self.credentials.url, context, game);
        let request = || Request::post(&url).json_of(&hit).idempotency_key(hit.key(game));
        self.send(request).await.map(drop)
    }

    /// How far a game is.
    ///
    /// # Errors
    /// When there is none, or the side does not answer for a minute.
    pub async fn game(&self, context: &ParticipantContextId, game: &GameId) -> anyhow::Result<Game> {
        let url = api::game_url(&self.credentials.url, context, game);
        Ok(self.send(|| Request::get(&url)).await?.json()?)
    }

    /// The events of a context, from the first one on.
    #[must_use]
    pub fn follow(&self, context: &ParticipantContextId) -> Feed {
        let url = api::events_url(&self.credentials.url, context);
        let umpire = self.clone();
        Feed { umpire, url, last: "0".to_owned(), open: None, buffer: Vec::new() }
    }

    async fn send(&self, request: impl Fn() -> Request) -> anyhow::Result<Response> {
        let sent = insist(|| async {
            let request = request().authorization(self.authorization().await?);
            self.outbound.send(request).await
        });
        Ok(sent.await?)
    }

    async fn authorization(&self) -> Result<Authorization, OutboundError> {
        let Credentials { url, client_id, client_secret } = &self.credentials;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.as_str()),
        ];
        let given = self.outbound.send(Request::post(format!("{url}/oauth/token")).form(&form)).await?;
        Ok(Authorization::bearer(&given.json::<Given>()?.access_token))
    }
}

/// Again and again, as long as that may help.
async fn insist<T, F: Future<Output = Result<T, OutboundError>>>(
    attempt: impl Fn() -> F,
) -> Result<T, OutboundError> {
    let mut attempts = 1;
    loop {
        match attempt().await {
            Err(error) if error.class() != RetryClass::Final && attempts < ATTEMPTS_MAX => {
                attempts += 1;
                tokio::time::sleep(PAUSE).await;
            }
            other => return other,
        }
    }
}

impl Feed {
    /// Where it comes from.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next event; waits for it.
    ///
    /// # Errors
    /// When the feed cannot be opened (again).
    pub async fn next(&mut self) -> anyhow::Result<Told> {
        loop {
            let Some(block) = self.block().await else {
                self.connect().await?;
                continue;
            };
            let data = block.lines().find_map(|line| line.strip_prefix("data: "));
            // Without data it is a comment: the feed is open, or alive.
            if let Some(data) = data {
                let told: Told = serde_json::from_str(data)?;
                self.last.clone_from(&told.id);
                return Ok(told);
            }
        }
    }

    /// The text up to the next empty line; none when the connection has ended before, or there is none.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&block).into_owned());
            }
            match self.open.as_mut()?.next().await {
                Some(Ok(bytes)) => self.buffer.extend(bytes),
                Some(Err(_)) | None => self.open = None,
            }
        }
    }

    async fn connect(&mut self) -> anyhow::Result<()> {
        self.buffer.clear();
        let Self { umpire, url, last, .. } = self;
        let last = HeaderValue::from_str(last)?;
        let opened = insist(|| async {
            let request = Request::get(url.as_str())
                .accept("text/event-stream")
                .header(HeaderName::from_static("last-event-id"), last.clone())
                .authorization(umpire.authorization().await?);
            umpire.outbound.stream(request).await
        });
        let response = opened.await?;
        // A gateway in front of servers that start answers by itself.
        if response.status().is_server_error() {
            tokio::time::sleep(PAUSE).await;
            return Ok(());
        }
        anyhow::ensure!(response.status().is_success(), "the feed {url} answered {}", response.status());
        self.open = Some(response);
        Ok(())
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("url", &self.url).finish_non_exhaustive()
    }
}
