//! Who begins games and watches them: a client like any other, over HTTP.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_outbound::{
    Authorization, Outbound, OutboundConfig, OutboundError, Request, Response, RetryClass,
};
use serde::{Deserialize, Serialize};

use crate::{
    api,
    game::{Game, GameId, Hit},
};

mod feed;

pub use feed::{Feed, Told};

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
        Feed::new(self.clone(), url)
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

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("url", &self.url).finish_non_exhaustive()
    }
}
