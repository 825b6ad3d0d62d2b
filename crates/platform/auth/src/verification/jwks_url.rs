//! The keys of an identity provider, kept and asked for anew when that is fit.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use heddle_clock::{Environment, Timestamp};
use heddle_jose::{Jwk, JwkSet};
use heddle_outbound::Outbound;
use moka::sync::Cache;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::discovery::{Place, Provider};
use crate::{KeySource, KeysUnavailable};

/// How long keys are used without asking again.
const KEYS_LIFETIME: Duration = Duration::from_secs(300);
/// In the long run the provider is asked no more often, however many tokens name unknown keys and however often it
/// fails; also how long the absence of a key is remembered.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);
/// How often it may be asked in a row for names that nobody knew before. After a rotation one is enough; the others are
/// for rotations while somebody plays with names.
const REFRESHES_IN_A_ROW: u32 = 5;
/// Least time between two questions that the provider did not answer.
const FAILURE_INTERVAL: Duration = Duration::from_secs(2);
/// Most names that are remembered as absent.
const ABSENT_MAX: u64 = 1024;

/// Fetches a key set, keeps it for five minutes, and asks again at once (rate-limited) for a name that it does
/// not hold. While the provider is asked, or does not answer, the keys that are known go on working.
pub struct JwksUrl(Arc<Keys>);

struct Keys {
    provider: Provider,
    environment: Environment,
    known: RwLock<Option<Known>>,
    asking: Arc<Mutex<Asked>>,
    /// Names that the provider did not have when it was asked for them.
    absent: Cache<String, Timestamp>,
}

struct Known {
    keys: JwkSet,
    fetched_at: Timestamp,
}

/// When the provider was asked, and why it gave no keys the last time.
struct Asked {
    /// Questions that may be asked in a row.
    left: u32,
    /// When the last one of them was given back.
    counted_at: Timestamp,
    /// Until when a provider that did not answer is left alone.
    not_before: Timestamp,
    failure: String,
}

/// What is known of a key name.
enum Finding {
    Fresh(Jwk),
    Old(Jwk),
    Nothing,
}

impl JwksUrl {
    /// The keys at this URL. Nothing is fetched before the first token.
    #[must_use]
    pub fn new(url: impl Into<String>, outbound: Outbound) -> Self {
        Self::at(Place::Url(url.into()), outbound)
    }

    /// The keys that the provider of this name, a URL, tells of under `/.well-known/openid-configuration`. Nothing is
    /// fetched before the first token.
    #[must_use]
    pub fn discovered(issuer: impl Into<String>, outbound: Outbound) -> Self {
        Self::at(Place::Issuer(issuer.into()), outbound)
    }

    fn at(place: Place, outbound: Outbound) -> Self {
        let environment = outbound.environment().clone();
        let now = environment.now();
        let asked =
            Asked { left: REFRESHES_IN_A_ROW, counted_at: now, not_before: now, failure: String::new() };
        Self(Arc::new(Keys {
            provider: Provider { place, outbound },
            environment,
            known: RwLock::default(),
            asking: Arc::new(Mutex::new(asked)),
            absent: Cache::new(ABSENT_MAX),
        }))
    }
}

impl Asked {
    /// Whether the provider may be asked at `now`; counts it.
    fn allows(&mut self, now: Timestamp) -> bool {
        let earned = now.since(self.counted_at).as_millis() / REFRESH_INTERVAL.as_millis();
        if earned > 0 {
            self.left =
                REFRESHES_IN_A_ROW.min(self.left.saturating_add(u32::try_from(earned).unwrap_or(u32::MAX)));
            self.counted_at = now;
        }
        if now < self.not_before || self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
}

impl Keys {
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

    /// Whether the provider was asked for this name a moment ago, and did not have it.
    fn is_absent(&self, kid: Option<&str>) -> bool {
        let at = self.absent.get(kid.unwrap_or_default());
        at.is_some_and(|at| self.environment.now().since(at) < REFRESH_INTERVAL)
    }

    /// Asks the provider, unless it was asked too often; whether it answered.
    async fn refresh(&self, asked: &mut Asked) -> bool {
        if !asked.allows(self.environment.now()) {
            return false;
        }
        let fetched = self.provider.keys().await;
        // Not the time before the wait: whoever has waited as well need not wait again.
        let now = self.environment.now();
        match fetched {
            Ok(keys) => {
                let known = Some(Known { keys, fetched_at: now });
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
                true
            }
            Err(error) => {
                asked.not_before = now + FAILURE_INTERVAL;
                asked.failure = error.to_string();
                tracing::warn!(
                    component = "auth",
                    action = "fetch keys",
                    place = ?self.provider.place,
                    reason = asked.failure,
                    "an identity provider gives no keys; tokens under keys that are known are accepted on"
                );
                false
            }
        }
    }
}

#[async_trait]
impl KeySource for JwksUrl {
    async fn key(&self, kid: Option<&str>) -> Result<Option<Jwk>, KeysUnavailable> {
        let keys = &self.0;
        match keys.find(kid) {
            Finding::Fresh(key) => return Ok(Some(key)),
            Finding::Old(key) => {
                // One asks, in the background; everybody goes on with what is known.
                if let Ok(asked) = keys.asking.clone().try_lock_owned() {
                    let keys = keys.clone();
                    tokio::spawn(async move { refresh_old(&keys, asked).await });
                }
                return Ok(Some(key));
            }
            Finding::Nothing if keys.is_absent(kid) => return Ok(None),
            Finding::Nothing => {}
        }
        let mut asked = keys.asking.lock().await;
        // Somebody else may have asked while this one waited.
        if !matches!(keys.find(kid), Finding::Fresh(_)) && !keys.is_absent(kid) {
            let answered = keys.refresh(&mut asked).await;
            if answered && matches!(keys.find(kid), Finding::Nothing) {
                keys.absent.insert(kid.unwrap_or_default().to_owned(), keys.environment.now());
            }
        }
        match keys.find(kid) {
            Finding::Fresh(key) | Finding::Old(key) => Ok(Some(key)),
            Finding::Nothing if keys.is_absent(kid) => Ok(None),
            // Not asked: it may well be there.
            Finding::Nothing => Err(KeysUnavailable { reason: asked.failure.clone() }),
        }
    }
}

async fn refresh_old(keys: &Keys, mut asked: OwnedMutexGuard<Asked>) {
    keys.refresh(&mut asked).await;
}

impl fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JwksUrl").field(&self.0.provider.place).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_counted_and_given_back() {
        let start = Timestamp::from_seconds(1000);
        let mut asked = Asked { left: 2, counted_at: start, not_before: start, failure: String::new() };
        assert!(asked.allows(start) && asked.allows(start) && !asked.allows(start));
        assert!(asked.allows(start + REFRESH_INTERVAL) && !asked.allows(start + REFRESH_INTERVAL));
        let later = start + Duration::from_secs(3600);
        assert_eq!((0..10).filter(|_| asked.allows(later)).count(), REFRESHES_IN_A_ROW as usize);
        asked.not_before = later + Duration::from_secs(3600);
        assert!(!asked.allows(later + Duration::from_secs(3599)), "it did not answer");
    }
}
