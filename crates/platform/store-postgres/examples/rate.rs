//! Commits a second, alone and by 64 at once, over a server without `fsync`:
//! `cargo run --release --example rate -p heddle-store-postgres`.

use std::{sync::Arc, time::Duration};

use heddle_store::contract::{World, rate::commits_per_second};
use heddle_store_postgres::{PostgresDatabase, PostgresOptions, testing::TestPostgres};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "it is what the example is for")]
async fn main() {
    for committers in [1, 64] {
        let url = TestPostgres::shared().url();
        let (environment, clock) = World::environment();
        let options = PostgresOptions::default();
        let database = PostgresDatabase::connect(&url, &options, &environment).await.expect("connects");
        let world = World::new(Arc::new(database), environment, clock);
        let rate = commits_per_second(&world, committers, Duration::from_secs(5)).await;
        println!("{committers} at once: {rate:.0} commits/s");
    }
}
