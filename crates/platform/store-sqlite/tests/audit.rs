//! The audit log of a SQLite file: damages that somebody with the file may do are found, also while a server has it.

use std::{path::Path, sync::Arc};

use heddle_store::{
    StoreError,
    audit::verify,
    contract::{World, audit},
};
use heddle_store_sqlite::{SqliteAudit, SqliteDatabase, testing::administer};
use tempfile::TempDir;

async fn world() -> (World, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let (environment, clock) = World::environment();
    let database = SqliteDatabase::open(folder.path().join("heddle.db"), &environment).await.expect("opens");
    (World::new(Arc::new(database), environment, clock), folder)
}

fn run(folder: &Path, sql: &str) {
    administer(&folder.join("heddle.db"), &sql.replace("{}", ""));
}

#[tokio::test]
async fn every_damage_is_found() {
    let (world, folder) = world().await;
    let insert = "INSERT INTO {}audit";
    audit::every_damage_is_found(&world, insert, async |sql: &str| run(folder.path(), sql)).await;
}

#[tokio::test]
async fn a_log_written_anew_is_found_by_a_checkpoint() {
    let (world, folder) = world().await;
    audit::a_log_written_anew_is_found_by_a_checkpoint(&world, async |sql: &str| run(folder.path(), sql))
        .await;
}

#[tokio::test]
async fn a_log_is_read_beside_the_server_that_writes_it_and_after_it() {
    let (world, folder) = world().await;
    let path = folder.path().join("heddle.db");
    audit::many_sealers_make_one_chain(&world).await;
    let beside = SqliteAudit::open(&path).await.expect("opens beside the server");
    let seen = verify(&beside, &[]).await.expect("reads");
    assert!(seen.broken.is_none() && seen.head.place > 0, "{seen:?}");
    world.database().close().await;
    drop(beside);
    let after = SqliteAudit::open(&path).await.expect("opens when the server has stopped");
    assert_eq!(verify(&after, &[]).await.expect("reads"), seen);
}

#[tokio::test]
async fn a_file_without_a_sealed_log_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("heddle.db");
    let refused = |opened: Result<SqliteAudit, StoreError>| opened.expect_err("refused").to_string();
    assert!(refused(SqliteAudit::open(&path).await).contains("no such file"));
    administer(&path, "CREATE TABLE migration (number INTEGER)");
    let older = refused(SqliteAudit::open(&path).await);
    assert!(older.contains("older release") && older.contains("heddle.db"), "{older}");
}
