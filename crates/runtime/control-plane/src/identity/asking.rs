//! Asks the peer's own services, and asks again for a moment when they are away.
//!
//! A request is verified with what its sender's DID host and credential service say. Where one of their replicas is
//! just being replaced, the next attempt finds another one; a refusal instead would be final, and would end a process
//! that both parties want.

use std::time::Duration;

use futures::future::BoxFuture;
use heddle_did::{Did, DidDocument};
use heddle_outbound::{OutboundError, ResolveError, RetryClass};
use tokio::time::{Instant, sleep};

use super::Identity;

/// How long who is away is asked again. The sender waits for our answer as long, and holds a place among our requests.
const AWAY_WAIT: Duration = Duration::from_secs(3);
/// First wait between two attempts; it doubles.
const WAIT_FIRST: Duration = Duration::from_millis(200);

/// Asks until the outcome is another than that somebody is `away`, or time is over.
pub(super) async fn patiently<'a, T, E>(
    ask: impl Fn() -> BoxFuture<'a, Result<T, E>>,
    away: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let (give_up, mut wait) = (Instant::now() + AWAY_WAIT, WAIT_FIRST);
    loop {
        match ask().await {
            Err(error) if away(&error) && Instant::now() + wait < give_up => sleep(wait).await,
            other => return other,
        }
        wait *= 2;
    }
}

/// Whether nobody has answered, or one who says that he cannot at the moment.
pub(super) fn is_away(error: &OutboundError) -> bool {
    matches!(error.class(), RetryClass::Retry { .. })
}

impl Identity {
    /// The document of a DID.
    pub(super) async fn document(&self, did: &Did) -> Result<std::sync::Arc<DidDocument>, ResolveError> {
        let away = |error: &ResolveError| matches!(error.class(), RetryClass::Retry { .. });
        match self.resolver.resolve(did).await {
            // The failure is remembered for longer than we ask.
            Err(error) if away(&error) => patiently(|| Box::pin(self.resolver.refresh(did)), away).await,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// How often it was asked when the first `absences` attempts find nobody, and what came of it.
    async fn asked(absences: u32, error: &'static str) -> (u32, Result<(), &'static str>) {
        let attempts = AtomicU32::new(0);
        let ask = || -> BoxFuture<'_, Result<(), &'static str>> {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { if attempt < absences { Err(error) } else { Ok(()) } })
        };
        let outcome = patiently(ask, |error| *error == "away").await;
        (attempts.load(Ordering::Relaxed), outcome)
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_away_is_asked_again_for_a_moment_and_who_says_no_is_not() {
        assert_eq!(asked(0, "away").await, (1, Ok(())));
        assert_eq!(asked(2, "away").await, (3, Ok(())));
        assert_eq!(asked(1, "no").await, (1, Err("no")));
        let begun = Instant::now();
        let (attempts, outcome) = asked(u32::MAX, "away").await;
        assert_eq!((attempts, outcome), (4, Err("away")));
        assert!(begun.elapsed() <= AWAY_WAIT);
    }
}
