//! The messaging port: committed events as feeds.
//!
//! An event is stored in the commit that it tells of (`heddle_store`); a feed follows the stored order from any
//! place and never skips one, because the store gives places only to committed events. Between commits it
//! sleeps until the store signals, in this process or from another replica.
//!
//! Deliberately absent: delivery to the outside (server-sent events belong to the APIs), brokers.

use std::time::Duration;

use futures::{Stream, stream};
use heddle_store::{Event, EventCursor, Store, StoreError};
use heddle_tenancy::{OperatorScope, ParticipantScope, TenantScope};
use tokio::sync::watch;

/// Most events that are read at a time.
const PAGE_EVENTS_MAX: u32 = 256;
/// Looks again at least this often, should a signal have been lost.
const SAFETY_NET: Duration = Duration::from_secs(5);
/// How long to leave the database alone after it was not available.
const TROUBLE_WAIT: Duration = Duration::from_millis(500);

/// Whose events a feed follows. It owns the scope: a feed outlives the request that opened it.
#[derive(Debug)]
pub enum Audience {
    /// The installation's and all tenants' events.
    Operator(OperatorScope),
    /// One participant's events.
    Participant(ParticipantScope),
    /// One tenant's events.
    Tenant(TenantScope),
}

/// Events of `audience` after `after`, without end; waits where there are none yet.
///
/// A database that is not available is waited for. A row that cannot be read ends the feed with its error.
pub fn follow(
    store: Store,
    audience: Audience,
    after: EventCursor,
) -> impl Stream<Item = Result<Event, StoreError>> + Send {
    let signal = store.signals().events();
    let feed = Feed { store, audience, after, page: Vec::new().into_iter(), signal, broken: false };
    stream::unfold(feed, Feed::next)
}

struct Feed {
    store: Store,
    audience: Audience,
    after: EventCursor,
    page: std::vec::IntoIter<Event>,
    signal: watch::Receiver<u64>,
    broken: bool,
}

impl Feed {
    async fn next(mut self) -> Option<(Result<Event, StoreError>, Self)> {
        loop {
            if self.broken {
                return None;
            }
            if let Some(event) = self.page.next() {
                self.after = event.cursor;
                return Some((Ok(event), self));
            }
            self.signal.mark_unchanged();
            match self.read().await {
                Ok(events) if events.is_empty() => {
                    // Either outcome of the wait leads to the next look.
                    drop(tokio::time::timeout(SAFETY_NET, self.signal.changed()).await);
                }
                Ok(events) => self.page = events.into_iter(),
                Err(error) if error.is_retryable() => {
                    tracing::warn!(component = "bus", action = "follow", %error, "a feed waits for the database");
                    tokio::time::sleep(TROUBLE_WAIT).await;
                }
                Err(error) => {
                    self.broken = true;
                    return Some((Err(error), self));
                }
            }
        }
    }

    async fn read(&self) -> Result<Vec<Event>, StoreError> {
        match &self.audience {
            Audience::Operator(scope) => {
                self.store.management_events(scope, self.after, PAGE_EVENTS_MAX).await
            }
            Audience::Participant(scope) => self.store.events(scope, self.after, PAGE_EVENTS_MAX).await,
            Audience::Tenant(scope) => self.store.events(scope, self.after, PAGE_EVENTS_MAX).await,
        }
    }
}
