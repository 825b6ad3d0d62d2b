//! Commits a second, alone and by 64 at once: `cargo run --release --example rate -p heddle-store-sqlite`.

use std::{sync::Arc, time::Duration};

use heddle_store::contract::{World, rate::commits_per_second};
use heddle_store_sqlite::SqliteDatabase;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "it is what the example is for")]
async fn main() {
    for committers in [1, 64] {
        let (environment, clock) = World::environment();
        let database = Arc::new(SqliteDatabase::temporary(&environment).await.expect("opens"));
        let world = World::new(database, environment, clock);
        let rate = commits_per_second(&world, committers, Duration::from_secs(5)).await;
        println!("{committers} at once: {rate:.0} commits/s");
    }
}
