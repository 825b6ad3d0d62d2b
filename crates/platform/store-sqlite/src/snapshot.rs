//! Reads as of one moment.

use async_trait::async_trait;
use heddle_clock::Timestamp;
use heddle_store::{LIST_ROWS_MAX, Order, Query, Row, Selector, Snapshot, StoreError};
use heddle_store_sql::{Dialect, Runner, Statement, Whose};
use heddle_tenancy::Access;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter, types::Value};

use crate::{
    error::{closed, of_statement},
    readers::Reader,
};

/// A read transaction; it begins with the first read and ends when this is dropped.
pub(crate) struct SqliteSnapshot {
    reader: Option<Reader>,
    owner: String,
    counter_party: Option<String>,
}

impl SqliteSnapshot {
    pub(crate) fn new(reader: Reader, access: &Access) -> Self {
        let counter_party = access.counter_party().map(|id| id.as_str().to_owned());
        Self { reader: Some(reader), owner: access.owner().to_string(), counter_party }
    }

    async fn read<T, F>(&mut self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let reader = self.reader.take().ok_or_else(closed)?;
        let (reader, result) = reader
            .read(|connection| {
                if connection.is_autocommit() {
                    connection.execute_batch("BEGIN").map_err(of_statement)?;
                }
                read(connection).map_err(of_statement)
            })
            .await;
        self.reader = reader;
        result
    }
}

#[async_trait]
impl Snapshot for SqliteSnapshot {
    async fn row(&mut self, kind: &'static str, selector: Selector<'_>) -> Result<Option<Row>, StoreError> {
        let (column, key) = match selector {
            Selector::Id(id) => ("id", id.to_owned()),
            Selector::UniqueKey(key) => ("unique_key", key.to_owned()),
        };
        let sql = format!(
            "SELECT id, version, document, created_at FROM aggregate
             WHERE owner = ?1 AND kind = ?2 AND {column} = ?3
               AND (?4 IS NULL OR counter_party IS NULL OR counter_party = ?4)"
        );
        let (owner, peer) = (self.owner.clone(), self.counter_party.clone());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_row(params![owner, kind, key, peer], row_of).optional()
        })
        .await
    }

    async fn rows(&mut self, kind: &'static str, query: &Query) -> Result<Vec<Row>, StoreError> {
        if !query.is_plain() {
            let (whose, query) = (self.whose(kind), query.clone());
            return heddle_store_sql::rows(self, Dialect::Sqlite, &whose, &query).await;
        }
        let (mut sql, mut values) = self.conditions("id, version, document, created_at", kind, query);
        sql.push_str(match query.order {
            Order::Id => " ORDER BY id",
            Order::IdDescending => " ORDER BY id DESC",
            Order::CreatedAscending => " ORDER BY created_at, id",
            Order::CreatedDescending => " ORDER BY created_at DESC, id DESC",
        });
        sql.push_str(" LIMIT ? OFFSET ?");
        values.push(query.limit.min(LIST_ROWS_MAX).into());
        values.push(query.offset.into());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            statement.query_map(params_from_iter(values), row_of)?.collect()
        })
        .await
    }

    async fn count(&mut self, kind: &'static str, query: &Query) -> Result<u64, StoreError> {
        if !query.is_plain() {
            let (whose, query) = (self.whose(kind), query.clone());
            return heddle_store_sql::count(self, Dialect::Sqlite, &whose, &query).await;
        }
        let (sql, values) = self.conditions("count(*)", kind, query);
        self.read(move |connection| {
            connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get::<_, u64>(0))
        })
        .await
    }
}

#[async_trait]
impl Runner for SqliteSnapshot {
    async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.read(move |connection| {
            let values = statement.values.into_iter().map(value);
            let mut prepared = connection.prepare_cached(&statement.sql)?;
            prepared.query_map(params_from_iter(values), row_of)?.collect()
        })
        .await
    }

    async fn number(&mut self, statement: Statement) -> Result<i64, StoreError> {
        self.read(move |connection| {
            let values = statement.values.into_iter().map(value);
            connection.prepare_cached(&statement.sql)?.query_row(params_from_iter(values), |row| row.get(0))
        })
        .await
    }
}

fn value(value: heddle_store_sql::Value) -> Value {
    match value {
        heddle_store_sql::Value::Text(text) => text.into(),
        heddle_store_sql::Value::Integer(integer) => integer.into(),
        heddle_store_sql::Value::Number(number) => number.into(),
    }
}

impl SqliteSnapshot {
    /// How SQLite would go about a statement.
    #[cfg(feature = "testing")]
    pub(crate) async fn plan(&mut self, statement: Statement) -> Result<String, StoreError> {
        self.read(move |connection| {
            let values = statement.values.into_iter().map(value);
            let mut prepared = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql))?;
            let lines = prepared.query_map(params_from_iter(values), |row| row.get::<_, String>(3))?;
            Ok(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
        })
        .await
    }

    pub(crate) fn whose(&self, kind: &'static str) -> Whose {
        Whose { owner: self.owner.clone(), peer: self.counter_party.clone(), kind }
    }

    /// The statement up to its order, with its values. Only conditions that are asked for are in it, so that an
    /// index on them can be used.
    fn conditions(&self, select: &str, kind: &'static str, query: &Query) -> (String, Vec<Value>) {
        let mut sql = format!("SELECT {select} FROM aggregate WHERE owner = ? AND kind = ?");
        let mut values: Vec<Value> = vec![self.owner.clone().into(), kind.to_owned().into()];
        if let Some(peer) = &self.counter_party {
            sql.push_str(" AND (counter_party IS NULL OR counter_party = ?)");
            values.push(peer.clone().into());
        }
        if !query.states.is_empty() {
            let marks = vec!["?"; query.states.len()].join(", ");
            sql.push_str(&format!(" AND state IN ({marks})"));
            values.extend(query.states.iter().map(|state| Value::from(state.to_string())));
        }
        let equal = [
            ("counter_party", &query.counter_party),
            ("correlation", &query.correlation),
            ("reference", &query.reference),
        ];
        for (column, wanted) in equal {
            if let Some(wanted) = wanted {
                sql.push_str(&format!(" AND {column} = ?"));
                values.push(wanted.clone().into());
            }
        }
        if let Some(due) = query.due_until {
            sql.push_str(" AND due_at <= ?");
            values.push(due.as_millis().into());
        }
        (sql, values)
    }
}

fn row_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        version: row.get(1)?,
        document: row.get(2)?,
        created_at: Timestamp::from_millis(row.get(3)?),
    })
}
