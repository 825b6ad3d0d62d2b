//! The contract of the port, over SQLite.

use std::sync::Arc;

use heddle_clock::Environment;
use heddle_store::Database;
use heddle_store_sqlite::SqliteDatabase;

async fn fresh(environment: &Environment) -> Arc<dyn Database> {
    Arc::new(SqliteDatabase::temporary(environment).await.expect("opens"))
}

heddle_store::contract_suite!(fresh);
