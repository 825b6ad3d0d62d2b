//! Reads as of one moment.

use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Object;
use futures::FutureExt;
use heddle_clock::Timestamp;
use heddle_store::{LIST_ROWS_MAX, Order, Query, Row, Selector, Snapshot, StoreError};
use heddle_store_sql::{Dialect, Runner, Statement, Whose};
use heddle_tenancy::Access;
use tokio_postgres::types::Type;

use crate::{
    error::of_statement,
    pipeline::{self, Call, Value, values},
    reads::count_of,
    session,
};

/// A read transaction; it begins with the first read and ends when this is dropped.
pub(crate) struct PostgresSnapshot {
    /// `None` when the server had fallen silent.
    client: Option<Object>,
    access: Access,
    begun: bool,
    patience: Duration,
}

impl PostgresSnapshot {
    pub(crate) fn new(client: Object, access: Access, patience: Duration) -> Self {
        Self { client: Some(client), access, begun: false, patience }
    }

    /// The first query goes out together with what begins the transaction.
    pub(crate) async fn query(&mut self, query: Call) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let (begin, calls) = match std::mem::replace(&mut self.begun, true) {
            false => (session::SNAPSHOT_AS_APP, vec![session::of(&self.access), query]),
            true => ("", vec![query]),
        };
        let silent = || StoreError::Unavailable { reason: "the server does not answer".to_owned() };
        let client = self.client.as_ref().ok_or_else(silent)?;
        let Ok(results) = tokio::time::timeout(self.patience, pipeline::run(client, begin, &calls, "")).await
        else {
            drop(self.client.take().map(Object::take));
            return Err(silent());
        };
        let mut results = results.map_err(|e| of_statement(&e.error))?;
        Ok(results.pop().unwrap_or_default())
    }

    pub(crate) fn whose(&self, kind: &'static str) -> Whose {
        Whose { owner: self.access.owner().to_string(), peer: None, kind }
    }

    /// The statement up to its order. Only conditions that are asked for are in it, so that an index on them can
    /// be used.
    fn conditions(&self, select: &str, kind: &'static str, query: &Query) -> Call {
        let sql = format!("SELECT {select} FROM heddle.aggregate WHERE owner = $1 AND kind = $2");
        let mut call = Call::new(sql, values![self.access.owner().to_string(), kind]);
        if !query.states.is_empty() {
            let states: Vec<String> = query.states.iter().map(ToString::to_string).collect();
            and(&mut call, " AND state = ANY ($)", Box::new(states));
        }
        if let Some(counter_party) = &query.counter_party {
            and(&mut call, " AND counter_party = $", Box::new(counter_party.clone()));
        }
        if let Some(correlation) = &query.correlation {
            and(&mut call, " AND correlation = $", Box::new(correlation.clone()));
        }
        if let Some(reference) = &query.reference {
            and(&mut call, " AND reference = $", Box::new(reference.clone()));
        }
        if let Some(due) = query.due_until {
            and(&mut call, " AND due_at <= $", Box::new(due.as_millis()));
        }
        call
    }
}

#[async_trait]
impl Runner for PostgresSnapshot {
    async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.query(call_of(statement)).await?.iter().map(row_of).collect()
    }

    async fn number(&mut self, statement: Statement) -> Result<i64, StoreError> {
        let rows = self.query(call_of(statement)).await?;
        rows.first().map_or(Ok(0), |row| row.try_get(0)).map_err(|e| of_statement(&e))
    }
}

/// A statement that is planned for its values.
pub(crate) fn call_of(statement: Statement) -> Call {
    let value = |value| match value {
        heddle_store_sql::Value::Text(text) => (Box::new(text) as Value, Type::TEXT),
        heddle_store_sql::Value::Integer(integer) => (Box::new(integer) as Value, Type::INT8),
        heddle_store_sql::Value::Number(number) => (Box::new(number) as Value, Type::FLOAT8),
    };
    Call::once(statement.sql, statement.values.into_iter().map(value).collect())
}

/// Appends text in which `$` becomes the place of `value`.
fn and(call: &mut Call, text: &str, value: Value) {
    call.values.push(value);
    let place = format!("${}", call.values.len());
    call.sql.to_mut().push_str(&text.replace('$', &place));
}

#[async_trait]
impl Snapshot for PostgresSnapshot {
    async fn row(&mut self, kind: &'static str, selector: Selector<'_>) -> Result<Option<Row>, StoreError> {
        let (sql, key) = match selector {
            Selector::Id(id) => (
                "SELECT id, version, document, created_at FROM heddle.aggregate
                 WHERE owner = $1 AND kind = $2 AND id = $3",
                id,
            ),
            Selector::UniqueKey(key) => (
                "SELECT id, version, document, created_at FROM heddle.aggregate
                 WHERE owner = $1 AND kind = $2 AND unique_key = $3",
                key,
            ),
        };
        let values = values![self.access.owner().to_string(), kind, key.to_owned()];
        let rows = self.query(Call::new(sql, values)).await?;
        rows.first().map(row_of).transpose()
    }

    async fn rows(&mut self, kind: &'static str, query: &Query) -> Result<Vec<Row>, StoreError> {
        if !query.is_plain() {
            let (whose, query) = (self.whose(kind), query.clone());
            return heddle_store_sql::rows(self, Dialect::Postgres, &whose, &query).await;
        }
        let mut call = self.conditions("id, version, document, created_at", kind, query);
        call.sql.to_mut().push_str(match query.order {
            Order::Id => " ORDER BY id",
            Order::IdDescending => " ORDER BY id DESC",
            Order::CreatedAscending => " ORDER BY created_at, id",
            Order::CreatedDescending => " ORDER BY created_at DESC, id DESC",
        });
        and(&mut call, " LIMIT $", Box::new(i64::from(query.limit.min(LIST_ROWS_MAX))));
        and(&mut call, " OFFSET $", Box::new(i64::from(query.offset)));
        self.query(call).await?.iter().map(row_of).collect()
    }

    async fn count(&mut self, kind: &'static str, query: &Query) -> Result<u64, StoreError> {
        if !query.is_plain() {
            let (whose, query) = (self.whose(kind), query.clone());
            return heddle_store_sql::count(self, Dialect::Postgres, &whose, &query).await;
        }
        let call = self.conditions("count(*)", kind, query);
        count_of(&self.query(call).await?)
    }
}

impl Drop for PostgresSnapshot {
    fn drop(&mut self) {
        if self.begun
            && let Some(client) = &self.client
        {
            // One poll sends it, ahead of whatever the next holder of the connection sends; nobody needs the answer.
            drop(client.batch_execute("ROLLBACK").now_or_never());
        }
    }
}

fn row_of(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let read = || {
        Ok(Row {
            id: row.try_get(0)?,
            version: row.try_get::<_, i64>(1)?.unsigned_abs(),
            document: row.try_get(2)?,
            created_at: Timestamp::from_millis(row.try_get(3)?),
        })
    };
    read().map_err(|e| of_statement(&e))
}
