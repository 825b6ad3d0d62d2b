//! The keys of an identity provider, from its JWKS URL (RFC 7517 §5).

use std::{
    fmt,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use heddle_clock::{Environment, Timestamp};
use heddle_jose::{Jwk, JwkSet};
use heddle_outbound::{Outbound, Request};
use tokio::sync::Mutex;

use crate::{KeySource, KeysUnavailable};

/// How long keys are used without asking again.
const KEYS_LIFETIME: Duration = Duration::from_secs(300);
/// Least time between two requests, however many tokens name unknown keys and however often it fails.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);
/// Largest key set, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Fetches a key set, keeps it for five minutes, and asks again at once (rate-limited) for a name that it does
/// not hold. While the provider is asked, or does not answer, the keys that are known go on working.
pub struct JwksUrl {
    url: String,
    outbound: Outbound,
    environment: Environment,
    known: RwLock<Option<Known>>,
    asking: Mutex<Asked>,
}

struct Known {
    keys: JwkSet,
    fetched_at: Timestamp,
}

/// The last time that the provider was asked, and why it gave no keys then.
#[derive(Default)]
struct Asked {
    at: Option<Timestamp>,
    failure: String,
}

/// What is known of a key name.
enum Finding {
    Fresh(Jwk),
    Old(Jwk),
    Nothing,
}

impl JwksUrl {
    /// Nothing is fetched before the first token.
    #[must_use]
    pub fn new(url: impl Into<String>, outbound: Outbound) -> Self {
        let environment = outbound.environment().clone();
        Self { url: url.into(), outbound, environment, known: RwLock::default(), asking: Mutex::default() }
    }

    fn find(&self, kid: Option<&str>) -> Finding {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.as_ref() else { return Finding::Nothing };
        let is_fresh = self.environment.now().since(known.fetched_at) < KEYS_LIFETIME;
        match known.keys.find(kid) {
            Some(key) if is_fresh => Finding::Fresh(key.clone()),
            Some(key) => Finding::Old(key.clone()),
            None => Finding::Nothing,
        }
    }

    /// Asks the provider, unless it was asked a moment ago.
    async fn refresh(&self, asked: &mut Asked) {
        let now = self.environment.now();
        if asked.at.is_some_and(|at| now.since(at) < REFRESH_INTERVAL) {
            return;
        }
        asked.at = Some(now);
        let request = Request::get(&self.url).accept("application/json").body_bytes_max(BODY_BYTES_MAX);
        let answer = self.outbound.send(request).await;
        match answer.and_then(|answer| answer.json::<JwkSet>()) {
            Ok(keys) => {
                let known = Some(Known { keys, fetched_at: now });
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
            }
            Err(error) => {
                asked.failure = error.to_string();
                tracing::warn!(component = "auth", url = self.url, reason = asked.failure, "no keys fetched");
            }
        }
    }
}

#[async_trait]
impl KeySource for JwksUrl {
    async fn key(&self, kid: Option<&str>) -> Result<Option<Jwk>, KeysUnavailable> {
        let mut asked = match self.find(kid) {
            Finding::Fresh(key) => return Ok(Some(key)),
            // One asks; the others go on with what is known.
            Finding::Old(key) => match self.asking.try_lock() {
                Ok(asked) => asked,
                Err(_) => return Ok(Some(key)),
            },
            Finding::Nothing => self.asking.lock().await,
        };
        // Somebody else may have asked while this one waited.
        if !matches!(self.find(kid), Finding::Fresh(_)) {
            self.refresh(&mut asked).await;
        }
        match self.find(kid) {
            Finding::Fresh(key) | Finding::Old(key) => Ok(Some(key)),
            Finding::Nothing if self.known.read().unwrap_or_else(PoisonError::into_inner).is_some() => {
                Ok(None)
            }
            Finding::Nothing => Err(KeysUnavailable { reason: asked.failure.clone() }),
        }
    }
}

impl fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JwksUrl").field(&self.url).finish()
    }
}
