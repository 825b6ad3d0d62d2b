//! For tests: how the server goes about a filtered list, under the role and the row-level security that it has.

use async_trait::async_trait;
use heddle_store::{Query, Row, StoreError};
use heddle_store_sql::{Dialect, Runner, Statement};
use heddle_tenancy::Scope;

use crate::{
    PostgresDatabase,
    error::of_statement,
    snapshot::{PostgresSnapshot, call_of},
};

struct Explaining {
    snapshot: PostgresSnapshot,
    plans: Vec<String>,
}

impl Explaining {
    async fn explain(&mut self, mut statement: Statement) -> Result<(), StoreError> {
        statement.sql = format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {}", statement.sql);
        let lines = self.snapshot.query(call_of(statement)).await?;
        let lines: Result<Vec<String>, _> = lines.iter().map(|line| line.try_get(0)).collect();
        self.plans.push(lines.map_err(|e| of_statement(&e))?.join("\n"));
        Ok(())
    }
}

#[async_trait]
impl Runner for Explaining {
    async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        self.explain(statement.clone()).await?;
        Runner::rows(&mut self.snapshot, statement).await
    }

    async fn number(&mut self, statement: Statement) -> Result<i64, StoreError> {
        self.explain(statement.clone()).await?;
        self.snapshot.number(statement).await
    }
}

/// The plans of all statements of a list, with the numbers of rows that they have touched.
///
/// # Errors
/// As for the list.
pub async fn explain(
    database: &PostgresDatabase,
    scope: &dyn Scope,
    kind: &'static str,
    query: &Query,
) -> Result<Vec<String>, StoreError> {
    let snapshot = PostgresSnapshot::new(database.client().await?, scope.access(), database.patience);
    let whose = snapshot.whose(kind);
    let mut explaining = Explaining { snapshot, plans: Vec::new() };
    heddle_store_sql::rows(&mut explaining, Dialect::Postgres, &whose, query).await?;
    Ok(explaining.plans)
}
