//! The audit log on PostgreSQL: damages that somebody with the database's password may do are found, several processes
//! seal one chain, and the roles may do no more than they need.

use std::sync::Arc;

use heddle_clock::Environment;
use heddle_store::{
    Database,
    audit::verify,
    contract::{World, audit},
};
use heddle_store_postgres::{PostgresAudit, PostgresDatabase, PostgresOptions, testing::TestPostgres};

fn options() -> PostgresOptions {
    PostgresOptions { connections_max: 6, ..PostgresOptions::default() }
}

async fn connect(url: &str, environment: &Environment) -> PostgresDatabase {
    PostgresDatabase::connect(url, &options(), environment).await.expect("connects")
}

async fn world() -> (World, String) {
    let url = tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database");
    let (environment, clock) = World::environment();
    let database = connect(&url, &environment).await;
    (World::new(Arc::new(database), environment, clock), url)
}

async fn run(url: &str, sql: &str) -> String {
    let (url, sql) = (url.to_owned(), sql.replace("{}", "heddle."));
    let ran = tokio::task::spawn_blocking(move || TestPostgres::shared().administer(&url, &sql));
    ran.await.expect("it runs")
}

#[tokio::test]
async fn every_damage_is_found() {
    let (world, url) = world().await;
    let insert = "INSERT INTO {}audit OVERRIDING SYSTEM VALUE";
    audit::every_damage_is_found(&world, insert, async |sql: &str| drop(run(&url, sql).await)).await;
}

#[tokio::test]
async fn a_log_written_anew_is_found_by_a_checkpoint() {
    let (world, url) = world().await;
    let tamper = async |sql: &str| drop(run(&url, sql).await);
    audit::a_log_written_anew_is_found_by_a_checkpoint(&world, tamper).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_seal_one_chain_and_a_command_reads_it_beside_them() {
    let (world, url) = world().await;
    let (environment, _) = World::environment();
    let other = connect(&url, &environment).await;
    audit::sealers_make_one_chain(&world, &[&**world.database(), &other]).await;
    let beside = PostgresAudit::connect(&url, &options()).await.expect("connects");
    let seen = verify(&beside, &[]).await.expect("reads");
    assert!(seen.broken.is_none() && seen.head.place > 0, "{seen:?}");
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealer_that_dies_in_the_middle_leaves_nothing_behind() {
    let (world, url) = world().await;
    let alice = world.participant("alice");
    for n in 0..40 {
        let mut tx = world.store.begin(&alice);
        tx.audit("thing.change", n.to_string());
        tx.commit().await.expect("commits");
    }
    // Whoever seals is broken off wherever it may be, again and again: its session ends with its process.
    for _ in 0..8 {
        let (dying, _) = World::environment();
        let dying = Arc::new(connect(&url, &dying).await);
        let sealing = {
            let dying = dying.clone();
            tokio::spawn(async move { dying.seal_audit(1).await })
        };
        let killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%audit%'";
        run(&url, killed).await;
        // It may have been faster.
        drop(sealing.await.expect("it ends"));
        dying.close().await;
    }
    // The connections of this world may have been among those that were ended.
    while !matches!(world.database().seal_audit(7).await, Ok(None)) {}
    let report = verify(world.database().audit_log(), &[]).await.expect("reads");
    assert_eq!((report.head.place, report.unsealed, report.broken), (40, 0, None));
}

#[tokio::test]
async fn who_writes_entries_cannot_seal_and_who_seals_cannot_change() {
    let (world, url) = world().await;
    let alice = world.participant("alice");
    let mut tx = world.store.begin(&alice);
    tx.audit("thing.change", "a");
    tx.commit().await.expect("commits");
    world.database().seal_audit(10).await.expect("seals");
    let may = async |role: &str, privilege: &str| {
        let sql = format!(
            "SELECT coalesce(string_agg(column_name, ',' ORDER BY ordinal_position), '')
             FROM information_schema.columns WHERE table_schema = 'heddle' AND table_name = 'audit'
               AND has_column_privilege('{role}', 'heddle.audit', column_name, '{privilege}')"
        );
        run(&url, &sql).await
    };
    assert_eq!(may("heddle_app", "INSERT").await, "owner,actor,action,subject,reason,at,trace");
    assert_eq!(may("heddle_app", "UPDATE").await, "");
    assert_eq!(may("heddle_auditor", "INSERT").await, "");
    assert_eq!(may("heddle_auditor", "UPDATE").await, "place,hash");
    let again = "BEGIN; SET LOCAL ROLE heddle_auditor;
         WITH changed AS (UPDATE heddle.audit SET hash = 'x' RETURNING 1) SELECT count(*) FROM changed; ROLLBACK";
    assert_eq!(run(&url, again).await, "0", "what is sealed stays as it is");
    let deleted = "SELECT has_table_privilege('heddle_auditor', 'heddle.audit', 'DELETE')";
    assert_eq!(run(&url, deleted).await, "f");
}
