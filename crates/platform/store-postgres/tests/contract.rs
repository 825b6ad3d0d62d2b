//! The contract of the port, over PostgreSQL.

use std::sync::Arc;

use heddle_clock::Environment;
use heddle_store::Database;
use heddle_store_postgres::{PostgresDatabase, PostgresOptions, testing::TestPostgres};

async fn fresh(environment: &Environment) -> Arc<dyn Database> {
    let url = tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database");
    // Few connections each: many databases share the server.
    let options = PostgresOptions { connections_max: 8, ..PostgresOptions::default() };
    Arc::new(PostgresDatabase::connect(&url, &options, environment).await.expect("connects"))
}

heddle_store::contract_suite!(fresh);
