//! One story goes on while servers are killed thirty times, before and after commits of every stretch of it. It comes
//! to its end, and nothing is there twice.
//!
//! A failure names the seed: `SEED=17 cargo test -p heddle-e2e --test fire sqlite` repeats its choice of commits;
//! `DEATHS=60` takes more of them.

mod fates;
mod story;

use heddle_e2e::{
    fire::{Arbiter, Folder, Place, Replicas, free_port},
    postgres,
};
use story::survives;

/// The binary that only tests have.
const SERVER: &str = env!("CARGO_BIN_EXE_judged_server");

/// The story on one server with the database that `database` configures.
async fn on_one_server(what: &str, database: &str) {
    let folder = Folder::new();
    let arbiter = Arbiter::start().expect("it listens");
    let settings = format!("listen = \"127.0.0.1:{}\"\n{database}", free_port());
    let mut place = Place::new(SERVER, folder.path(), "server", &settings, arbiter.path());
    place.start().await;
    let credentials = place.credentials();
    survives(what, &arbiter, vec![place], &credentials).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_story_survives_thirty_deaths_on_sqlite() {
    on_one_server("SQLite", "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_story_survives_thirty_deaths_on_postgresql() {
    on_one_server("PostgreSQL", &postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_story_survives_thirty_deaths_among_replicas_of_every_role_behind_a_proxy() {
    let folder = Folder::new();
    let arbiter = Arbiter::start().expect("it listens");
    let Replicas { places, credentials, proxy } =
        Replicas::start(SERVER, folder.path(), &postgres().await, &arbiter).await;
    survives("replicas", &arbiter, places, &credentials).await;
    drop(proxy);
}
