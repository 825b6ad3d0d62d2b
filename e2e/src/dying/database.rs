//! The database of a server that dies.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use heddle::server::Database as Inner;
use heddle_store::{
    Batch, Database, Receipt, StoreError,
    testing::{Commits, Intercepted},
};
use heddle_tenancy::Access;
use rustix::process::{Signal, getpid, kill_process};

use super::{Doom, Entry, Journal, Side};

/// Keeps a journal of the commits, and dies at the one that is its doom.
pub struct Dying {
    journal: Journal,
    doom: Option<Doom>,
    commits: AtomicU64,
}

impl Dying {
    /// In front of `inner`; without a doom it only keeps the journal.
    pub fn before(inner: Inner, journal: Journal, doom: Option<Doom>) -> Inner {
        Arc::new(Intercepted::new(inner, Self { journal, doom, commits: AtomicU64::new(0) }))
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
impl Commits for Dying {
    async fn commit(
        &self,
        database: &dyn Database,
        access: Access,
        batch: Batch,
    ) -> Result<Receipt, StoreError> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let entry = Entry::of(number, &access, &batch);
        self.note(&entry)?;
        let side = self.doom.as_ref().filter(|doom| doom.moment.is(&entry)).map(|doom| doom.side);
        if side == Some(Side::Before) {
            self.die(Side::Before, &entry)?;
        }
        let receipt = database.commit(access, batch).await?;
        if side == Some(Side::After) {
            self.die(Side::After, &entry)?;
        }
        Ok(receipt)
    }
}
