//! The database of a server that dies.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use heddle::server::Database as Inner;
use heddle_clock::Timestamp;
use heddle_store::{
    Batch, ClaimRequest, ClaimedJob, Database, Event, EventCursor, EventQuery, Lease, Published, Receipt,
    Signals, Snapshot, StoreError,
};
use heddle_tenancy::{Access, Directory};
use rustix::process::{Signal, getpid, kill_process};

use super::{Doom, Entry, Journal, Side};

/// Hands everything to the real database, and dies at the commit that is its doom.
pub struct Dying {
    inner: Inner,
    journal: Journal,
    doom: Option<Doom>,
    commits: AtomicU64,
}

impl Dying {
    /// In front of `inner`; without a doom it only keeps the journal.
    pub fn new(inner: Inner, journal: Journal, doom: Option<Doom>) -> Self {
        Self { inner, journal, doom, commits: AtomicU64::new(0) }
    }

    fn note(&self, entry: &Entry) -> Result<(), StoreError> {
        let unusable =
            |error| StoreError::Unusable { reason: format!("the journal cannot be written: {error}") };
        self.journal.write(entry).map_err(unusable)
    }

    fn die(&self, side: Side, entry: &Entry) -> Result<(), StoreError> {
        self.note(&Entry { killed: Some(side), ..entry.clone() })?;
        kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
        loop {
            std::thread::park();
        }
    }
}

#[async_trait]
impl Database for Dying {
    async fn commit(&self, access: Access, batch: Batch) -> Result<Receipt, StoreError> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let entry = Entry::of(number, &access, &batch);
        self.note(&entry)?;
        let side = self.doom.as_ref().filter(|doom| doom.moment.is(&entry)).map(|doom| doom.side);
        if side == Some(Side::Before) {
            self.die(Side::Before, &entry)?;
        }
        let receipt = self.inner.commit(access, batch).await?;
        if side == Some(Side::After) {
            self.die(Side::After, &entry)?;
        }
        Ok(receipt)
    }

    async fn snapshot(&self, access: Access) -> Result<Box<dyn Snapshot>, StoreError> {
        self.inner.snapshot(access).await
    }

    async fn claim(&self, request: ClaimRequest) -> Result<Vec<ClaimedJob>, StoreError> {
        self.inner.claim(request).await
    }

    async fn extend(&self, leases: &[Lease], until: Timestamp) -> Result<u64, StoreError> {
        self.inner.extend(leases, until).await
    }

    async fn next_due(&self, kinds: &[String], after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_due(kinds, after).await
    }

    async fn events(&self, query: EventQuery) -> Result<Vec<Event>, StoreError> {
        self.inner.events(query).await
    }

    async fn newest_event(&self) -> Result<EventCursor, StoreError> {
        self.inner.newest_event().await
    }

    async fn lookup(
        &self,
        directory: Directory,
        kind: &str,
        key: &str,
    ) -> Result<Option<Published>, StoreError> {
        self.inner.lookup(directory, kind, key).await
    }

    async fn published(
        &self,
        directory: Directory,
        kind: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Published>, StoreError> {
        self.inner.published(directory, kind, after, limit).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.inner.sweep(now).await
    }

    fn signals(&self) -> &Signals {
        self.inner.signals()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
