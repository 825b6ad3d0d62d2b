//! Commits a second on SQLite: `cargo test --release -p heddle-store-sqlite --test rate -- --ignored --nocapture`.

use std::{sync::Arc, time::Duration};

use heddle_store::contract::{World, rate::commits_per_second};
use heddle_store_sqlite::SqliteDatabase;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures and asserts nothing"]
#[expect(clippy::print_stdout, reason = "it is what the test is for")]
async fn commits_alone_and_by_64_at_once() {
    for committers in [1, 64] {
        let (environment, clock) = World::environment();
        let database = SqliteDatabase::temporary(&environment).await.expect("opens");
        let world = World::new(Arc::new(database), environment, clock);
        let rate = commits_per_second(&world, committers, Duration::from_secs(5)).await;
        println!("{committers} at once: {rate:.0} commits/s");
    }
}
