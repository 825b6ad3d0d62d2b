//! Commits a second on PostgreSQL, over a server without `fsync`: `cargo test --release -p heddle-store-postgres --test rate -- --ignored --nocapture`.

use std::{sync::Arc, time::Duration};

use heddle_store::contract::{World, rate::commits_per_second};
use heddle_store_postgres::{PostgresDatabase, PostgresOptions, testing::TestPostgres};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures and asserts nothing"]
#[expect(clippy::print_stdout, reason = "it is what the test is for")]
async fn commits_alone_and_by_64_at_once() {
    for committers in [1, 64] {
        let (environment, clock) = World::environment();
        let url = tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database");
        let options = PostgresOptions::default();
        let database = PostgresDatabase::connect(&url, &options, &environment).await.expect("connects");
        let world = World::new(Arc::new(database), environment, clock);
        let rate = commits_per_second(&world, committers, Duration::from_secs(5)).await;
        println!("{committers} at once: {rate:.0} commits/s");
    }
}
