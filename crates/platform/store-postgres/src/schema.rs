//! Whether this release may still work with the database: a newer one may have changed the schema while this one runs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Pool};
use heddle_store::StoreError;
use tokio::sync::Notify;

use crate::{error::of_pool, migration};

/// Looks at least this often, should the notification have been lost.
const SAFETY_NET: Duration = Duration::from_secs(10);

/// What is known of the schema of a database in use. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    /// The newest step that this release knows.
    known: i64,
    /// Why the database must not be used any more.
    refusal: Arc<Mutex<Option<String>>>,
    /// Somebody has changed the schema.
    pub(crate) changed: Arc<Notify>,
}

impl Schema {
    pub(crate) fn new(known: i64) -> Self {
        Self { known, refusal: Arc::default(), changed: Arc::default() }
    }

    /// Refuses everything once the schema has gone beyond what this release can work with.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match &*self.refusal.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(reason) => Err(StoreError::Unusable { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Looks at the database.
    pub(crate) async fn look(&self, client: &ClientWrapper) -> Result<(), StoreError> {
        let refusal = migration::applied(client).await?.refusal(self.known);
        let mut remembered = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        if *remembered != refusal {
            match &refusal {
                Some(reason) => tracing::error!(component = "store", action = "refuse", reason),
                None => {
                    tracing::info!(component = "store", action = "accept", "the schema can be used again");
                }
            }
            remembered.clone_from(&refusal);
        }
        drop(remembered);
        self.check()
    }

    /// Looks whenever the schema has changed, until it is aborted.
    pub(crate) async fn watch(self, pool: Pool, patience: Duration) {
        loop {
            // A wait that ends by time is the safety net.
            drop(tokio::time::timeout(SAFETY_NET, self.changed.notified()).await);
            let look = async {
                let client = pool.get().await.map_err(of_pool)?;
                self.look(&client).await
            };
            // Whoever works with the database says why it does not answer.
            drop(tokio::time::timeout(patience, look).await);
        }
    }
}
