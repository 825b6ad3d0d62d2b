//! The messaging port: committed events as feeds, and consumers that remember how far they are.
//!
//! The outbox is the queue. An event is stored in the commit that it tells of (`heddle_store`) and gets a place in one
//! order, which is given to committed events alone; whoever reads from a place onwards skips none. So delivery is
//! reading, at least once and from wherever the reader is: [`follow`] gives a feed that its reader positions (the
//! server-sent events of the APIs), a [`Consumer`] stores its position with what it did.
//!
//! Between commits readers sleep until the store's signals ([`heddle_store::Signals`]) wake them: in this process by
//! a counter, from other replicas by a carrier, which brings wake-ups and no data. What a carrier loses is found by
//! the next one that it brings, by its reconnection, and at the latest by the safety net.
//!
//! Deliberately absent: delivery to the outside (it belongs to the APIs), the carriers (each belongs to its technology).

mod consumer;

pub use consumer::{Consumer, EventHandler};

use std::time::Duration;

use futures::{Stream, stream};
use heddle_store::{Event, EventCursor, Store, StoreError};
use heddle_tenancy::{OperatorScope, ParticipantScope, Scope, TenantScope};
use tokio::sync::watch;

/// Most events that are read at a time.
const PAGE_EVENTS_MAX: u32 = 256;
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

impl Audience {
    fn scope(&self) -> &dyn Scope {
        match self {
            Self::Operator(scope) => scope,
            Self::Participant(scope) => scope,
            Self::Tenant(scope) => scope,
        }
    }

    async fn read(&self, store: &Store, after: EventCursor, limit: u32) -> Result<Vec<Event>, StoreError> {
        match self {
            Self::Operator(scope) => store.management_events(scope, after, limit).await,
            Self::Participant(scope) => store.events(scope, after, limit).await,
            Self::Tenant(scope) => store.events(scope, after, limit).await,
        }
    }
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
            match self.audience.read(&self.store, self.after, PAGE_EVENTS_MAX).await {
                Ok(events) if events.is_empty() => {
                    // Either outcome of the wait leads to the next look.
                    let safety_net = self.store.signals().safety_net();
                    drop(tokio::time::timeout(safety_net, self.signal.changed()).await);
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
}
