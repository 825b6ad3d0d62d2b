//! A database that holds one commit back until the test lets it go: two things at one moment, in a known order.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_store::{
    Batch, ClaimRequest, ClaimedJob, Database, Event, EventCursor, EventQuery, Lease, Published, Receipt,
    Signals, Snapshot, StoreError, Write,
};
use heddle_tenancy::{Access, Directory};
use tokio::sync::oneshot;

use crate::support::soon;

/// What a held commit writes.
#[derive(Debug, Clone, Copy)]
pub enum What {
    /// A row of this kind.
    Puts(&'static str),
    /// That a row of this kind goes.
    Deletes(&'static str),
}

impl What {
    fn is_in(self, batch: &Batch) -> bool {
        batch.writes.iter().any(|write| match (self, write) {
            (Self::Puts(wanted), Write::Put { kind, .. })
            | (Self::Deletes(wanted), Write::Delete { kind, .. }) => *kind == wanted,
            _ => false,
        })
    }
}

struct Trap {
    what: What,
    reached: oneshot::Sender<()>,
    go: oneshot::Receiver<()>,
}

/// A commit that will be held back.
pub struct Held {
    reached: Option<oneshot::Receiver<()>>,
    go: oneshot::Sender<()>,
}

impl Held {
    /// Waits until it is there.
    pub async fn reached(&mut self) {
        let reached = self.reached.take().expect("waited for once");
        soon("a commit to hold back", reached).await.expect("the database is there");
    }

    /// Lets it go.
    pub fn go(self) {
        self.go.send(()).expect("it waits");
    }
}

/// The database.
pub struct Gate {
    database: Arc<dyn Database>,
    trap: Mutex<Option<Trap>>,
}

impl Gate {
    pub fn before(database: impl Database + 'static) -> Arc<Self> {
        Arc::new(Self { database: Arc::new(database), trap: Mutex::new(None) })
    }

    /// Holds back the next commit that writes this.
    pub fn hold(&self, what: What) -> Held {
        let ((reached, is_reached), (go, goes)) = (oneshot::channel(), oneshot::channel());
        let trap = Trap { what, reached, go: goes };
        *self.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some(trap);
        Held { reached: Some(is_reached), go }
    }

    fn trap_for(&self, batch: &Batch) -> Option<Trap> {
        let mut trap = self.trap.lock().unwrap_or_else(PoisonError::into_inner);
        trap.take_if(|trap| trap.what.is_in(batch))
    }
}

#[async_trait]
impl Database for Gate {
    async fn snapshot(&self, access: Access) -> Result<Box<dyn Snapshot>, StoreError> {
        self.database.snapshot(access).await
    }

    async fn commit(&self, access: Access, batch: Batch) -> Result<Receipt, StoreError> {
        if let Some(trap) = self.trap_for(&batch) {
            trap.reached.send(()).expect("the test waits");
            trap.go.await.expect("the test lets it go");
        }
        self.database.commit(access, batch).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<ClaimedJob>, StoreError> {
        self.database.claim(request).await
    }

    async fn extend(&self, leases: &[Lease], until: Timestamp) -> Result<u64, StoreError> {
        self.database.extend(leases, until).await
    }

    async fn next_due(&self, kinds: &[String], after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.database.next_due(kinds, after).await
    }

    async fn events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError> {
        self.database.events(query).await
    }

    async fn newest_event(&self) -> Result<EventCursor, StoreError> {
        self.database.newest_event().await
    }

    async fn lookup(
        &self,
        directory: Directory,
        kind: &str,
        key: &str,
    ) -> Result<Option<Published>, StoreError> {
        self.database.lookup(directory, kind, key).await
    }

    async fn published(
        &self,
        directory: Directory,
        kind: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Published>, StoreError> {
        self.database.published(directory, kind, after, limit).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.database.sweep(now).await
    }

    fn signals(&self) -> &Signals {
        self.database.signals()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.database.ping().await
    }

    async fn close(&self) {
        self.database.close().await;
    }
}
