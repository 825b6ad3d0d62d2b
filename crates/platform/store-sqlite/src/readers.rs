//! Connections for reading.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use heddle_store::{PoolUse, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{connection, error::closed};

/// Most snapshots at a time; who needs one more waits.
const SNAPSHOTS_MAX: u32 = 16;
/// Most single reads at a time. They have places of their own: a lookup inside a transaction waits for no snapshot,
/// or enough transactions at a time would wait for one another for ever.
const SINGLE_READS_MAX: u32 = 8;
/// How long to wait for a place.
const PLACE_WAIT: Duration = Duration::from_secs(10);
/// How long to wait at the end for those who still read.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// Connections that stay open while nobody reads.
const IDLE_MAX: usize = 4;

/// A pool that grows on demand.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    snapshots: Arc<Semaphore>,
    single_reads: Arc<Semaphore>,
    /// The directory of the file, when it goes with the last connection.
    _temporary: Option<Arc<TempDir>>,
}

/// A connection that goes back to its pool when it is dropped, wherever that happens.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Option<Connection>,
    pool: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, temporary: Option<Arc<TempDir>>) -> Arc<Self> {
        let snapshots = Arc::new(Semaphore::new(SNAPSHOTS_MAX as usize));
        let single_reads = Arc::new(Semaphore::new(SINGLE_READS_MAX as usize));
        Arc::new(Self { path, idle: Mutex::default(), snapshots, single_reads, _temporary: temporary })
    }

    /// A connection for a snapshot, or the right to open one: the file is not touched before the first read.
    pub(crate) async fn reader(self: &Arc<Self>) -> Result<Reader, StoreError> {
        self.in_one_of(&self.snapshots).await
    }

    async fn in_one_of(self: &Arc<Self>, places: &Arc<Semaphore>) -> Result<Reader, StoreError> {
        let place = tokio::time::timeout(PLACE_WAIT, places.clone().acquire_owned()).await;
        let full = |_| StoreError::Unavailable { reason: "too many reads are under way".to_owned() };
        let permit = place.map_err(full)?.map_err(|_| closed())?;
        let connection = self.idle().pop();
        Ok(Reader { connection, pool: self.clone(), _permit: permit })
    }

    /// Reads on a thread that may block.
    pub(crate) async fn read<T, F>(self: &Arc<Self>, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.in_one_of(&self.single_reads).await?.read(read).await.1
    }

    /// Nobody gets a connection any more. Those who have one may finish first: the writer puts the log into the file
    /// when it is the last to close it.
    pub(crate) async fn close(&self) {
        let all = async {
            // In this order: who has a snapshot may need a single read to finish.
            let snapshots = self.snapshots.acquire_many(SNAPSHOTS_MAX).await;
            (snapshots, self.single_reads.acquire_many(SINGLE_READS_MAX).await)
        };
        let _places = tokio::time::timeout(CLOSE_WAIT, all).await;
        self.snapshots.close();
        self.single_reads.close();
        self.idle().clear();
    }

    /// How many read at this moment.
    pub(crate) fn in_use(&self) -> Vec<PoolUse> {
        let idle = self.idle().len();
        let pool = |name, max: u32, free: usize, idle| {
            let max = max as usize;
            PoolUse { name, max, busy: max.saturating_sub(free), idle, awaited: 0 }
        };
        vec![
            pool("snapshots", SNAPSHOTS_MAX, self.snapshots.available_permits(), idle),
            pool("single-reads", SINGLE_READS_MAX, self.single_reads.available_permits(), 0),
        ]
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// Reads on a thread that may block; the connection moves there and comes back.
    pub(crate) async fn read<T, F>(mut self, read: F) -> (Option<Self>, Result<T, StoreError>)
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let joined = tokio::task::spawn_blocking(move || {
            let result = self.open().and_then(read);
            (self, result)
        });
        match joined.await {
            Ok((reader, result)) => (Some(reader), result),
            Err(_) => (None, Err(StoreError::Unavailable { reason: "a read was broken off".to_owned() })),
        }
    }

    fn open(&mut self) -> Result<&Connection, StoreError> {
        if self.connection.is_none() {
            self.connection = Some(connection::reader(&self.pool.path)?);
        }
        Ok(self.connection.as_ref().expect("it was opened above"))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // Ends the snapshot, if there is one: it would hold back the log's checkpoint. No I/O happens here.
        let clean = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        let mut idle = self.pool.idle();
        if clean && idle.len() < IDLE_MAX && !self.pool.snapshots.is_closed() {
            idle.push(connection);
        }
    }
}
