//! Something that happens between what a request has read and what it writes.

use std::{pin::Pin, sync::Mutex};

use async_trait::async_trait;
use heddle_store::{Batch, Database, Receipt, StoreError, testing::Commits};
use heddle_tenancy::Access;

type Before = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Lets commits through; before the next one, what it was given happens.
#[derive(Default)]
pub struct Gate(Mutex<Option<Before>>);

impl Gate {
    pub fn before_the_next(&self, event: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().expect("unpoisoned") = Some(Box::pin(event));
    }
}

#[async_trait]
impl Commits for Gate {
    async fn commit(
        &self,
        database: &dyn Database,
        access: Access,
        batch: Batch,
    ) -> Result<Receipt, StoreError> {
        let before = self.0.lock().expect("unpoisoned").take();
        if let Some(before) = before {
            before.await;
        }
        database.commit(access, batch).await
    }
}
