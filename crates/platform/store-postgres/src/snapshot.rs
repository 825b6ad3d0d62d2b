//! Reads as of one moment.

use async_trait::async_trait;
use deadpool_postgres::Object;
use futures::FutureExt;
use heddle_clock::Timestamp;
use heddle_store::{LIST_ROWS_MAX, Order, Query, Row, Selector, Snapshot, StoreError};
use heddle_tenancy::Access;
use tokio_postgres::types::ToSql;

use crate::{
    error::of_statement,
    pipeline::{self, Call, Value, values},
    session,
};

/// A read transaction; it begins with the first read and ends when this is dropped.
pub(crate) struct PostgresSnapshot {
    client: Object,
    access: Access,
    begun: bool,
}

impl PostgresSnapshot {
    pub(crate) fn new(client: Object, access: Access) -> Self {
        Self { client, access, begun: false }
    }

    async fn query(&mut self, sql: &str, values: Vec<Value>) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let statement = self.client.prepare_cached(sql).await.map_err(|e| of_statement(&e))?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value.as_ref() as _).collect();
        if self.begun {
            return self.client.query(&statement, &values).await.map_err(|e| of_statement(&e));
        }
        self.begun = true;
        let identity: [Call; 1] = [session::of(&self.access)];
        // Polled in this order, so sent in this order.
        let (began, found) = futures::join!(
            biased;
            pipeline::run(&self.client, session::SNAPSHOT_AS_APP, &identity, ""),
            self.client.query(&statement, &values)
        );
        began.map_err(|e| of_statement(&e.error))?;
        found.map_err(|e| of_statement(&e))
    }
}
