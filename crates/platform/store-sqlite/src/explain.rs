//! For tests: how SQLite goes about a filtered list.

use async_trait::async_trait;
use heddle_store::{Query, Row, StoreError};
use heddle_store_sql::{Dialect, Runner, Statement};
use heddle_tenancy::Scope;

use crate::{SqliteDatabase, snapshot::SqliteSnapshot};

struct Explaining {
    snapshot: SqliteSnapshot,
    plans: Vec<String>,
}

#[async_trait]
impl Runner for Explaining {
    async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.plans.push(self.snapshot.plan(statement.clone()).await?);
        Runner::rows(&mut self.snapshot, statement).await
    }

    async fn number(&mut self, statement: Statement) -> Result<i64, StoreError> {
        self.plans.push(self.snapshot.plan(statement.clone()).await?);
        self.snapshot.number(statement).await
    }
}

/// The plans of all statements of a list.
///
/// # Errors
/// As for the list.
pub async fn explain(
    database: &SqliteDatabase,
    scope: &dyn Scope,
    kind: &'static str,
    query: &Query,
) -> Result<Vec<String>, StoreError> {
    let snapshot = database.sqlite_snapshot(&scope.access()).await?;
    let whose = snapshot.whose(kind);
    let mut explaining = Explaining { snapshot, plans: Vec::new() };
    heddle_store_sql::rows(&mut explaining, Dialect::Sqlite, &whose, query).await?;
    Ok(explaining.plans)
}
