//! Who has changed the database: a request that is refused must not.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use heddle_store::{
    Batch, Database, Receipt, StoreError,
    testing::{Commits, Intercepted},
};
use heddle_tenancy::Access;

/// Actors of the server itself, which goes on with its own work while requests are refused.
const AT_WORK: [&str; 2] = ["job ", "server"];

/// Every commit but those of the server's own work: by whom, for whom.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    /// Keeps the journal of `database`.
    pub fn of(&self, database: Arc<dyn Database>) -> Arc<dyn Database> {
        Arc::new(Intercepted::new(database, self.clone()))
    }

    /// Forgets what was; what comes next is told by [`Journal::told`].
    pub fn begin(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What has come since.
    pub fn told(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Commits for Journal {
    async fn commit(
        &self,
        database: &dyn Database,
        access: Access,
        batch: Batch,
    ) -> Result<Receipt, StoreError> {
        let actor = access.actor().subject.as_str();
        if !AT_WORK.iter().any(|own| actor.starts_with(own)) {
            let line = format!("'{actor}' for {}: {} writes", access.owner(), batch.writes.len());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
        database.commit(access, batch).await
    }
}
