//! What is acknowledged survives a loss of power.

use heddle_store::Database;
use heddle_store_postgres::{PostgresOptions, testing::TestPostgres};

use crate::support::{blocking, connect_with, options, refused, url};

#[tokio::test]
async fn the_settings_that_durability_rests_on_are_in_force() {
    let (server, url) = blocking(|| {
        let server = TestPostgres::start_durable();
        let url = server.url();
        (server, url)
    })
    .await;
    let strict = PostgresOptions { fsync_required: true, ..options() };
    let database = connect_with(&url, &strict).await.expect("a server as it comes is durable");
    for name in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert_eq!(database.setting(name).await.expect("reads"), "on", "{name}");
    }
    database.close().await;
    blocking(move || drop(server)).await;
}

#[tokio::test]
async fn a_server_that_forgets_in_a_crash_is_refused_where_that_matters() {
    let url = url().await;
    let strict = PostgresOptions { fsync_required: true, ..options() };
    let reason = refused(connect_with(&url, &strict).await);
    assert!(reason.contains("fsync off") && reason.contains("set fsync = on"), "{reason}");
    connect_with(&url, &options()).await.expect("elsewhere it is a warning").close().await;
}
