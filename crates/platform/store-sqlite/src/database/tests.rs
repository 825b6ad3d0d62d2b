//! What only this implementation promises: its settings, its file, its plans.

use std::{path::Path, task::Poll};

use heddle_clock::Environment;
use heddle_ids::{ParticipantContextId, WorkerId};
use heddle_store::{ClaimRequest, ClaimedJob, Database, NewJob, Store, StoreError};
use heddle_tenancy::{Actor, ParticipantScope, ScopeIssuer};
use rusqlite::named_params;

use crate::{SqliteDatabase, claim, connection, error::of_statement, writer::Moved};

#[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
fn participant(id: &str) -> ParticipantScope {
    ScopeIssuer::new().participant(ParticipantContextId::parse(id).expect("legal"), Actor::new("test"))
}

async fn open(path: &Path) -> Result<SqliteDatabase, StoreError> {
    SqliteDatabase::open(path, &Environment::system()).await
}

fn reason(opened: Result<SqliteDatabase, StoreError>) -> String {
    match opened {
        Err(StoreError::Unusable { reason }) => reason,
        other => panic!("expected Unusable, got {other:?}"),
    }
}

async fn claim_all(database: &SqliteDatabase) -> Vec<ClaimedJob> {
    let now = Environment::system().now();
    let request = ClaimRequest {
        worker: WorkerId::parse("w").expect("legal"),
        kinds: vec!["work".to_owned()],
        limit: 10,
        after: None,
        per_owner_max: 10,
        per_host_max: 10,
        now,
        until: now + std::time::Duration::from_secs(3600),
        token: "t".to_owned(),
    };
    database.claim(request).await.expect("claims")
}

#[tokio::test]
async fn the_settings_that_durability_rests_on_are_in_force() {
    let database = SqliteDatabase::temporary(&Environment::system()).await.expect("opens");
    let read = database.writer.run(|connection| {
        let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        let numbers = ["synchronous", "fullfsync", "checkpoint_fullfsync", "foreign_keys"].map(pragma);
        let read = || Ok((numbers.into_iter().collect::<rusqlite::Result<Vec<_>>>()?, mode?));
        Ok((read().map_err(of_statement)?, Moved::default()))
    });
    // synchronous = FULL is 2.
    assert_eq!(read.await.expect("reads"), (vec![2, 1, 1, 1], "wal".to_owned()));
}

#[tokio::test]
async fn readers_cannot_write() {
    let database = SqliteDatabase::temporary(&Environment::system()).await.expect("opens");
    let written = database
        .readers
        .read(|connection| connection.execute("DELETE FROM aggregate", []).map_err(of_statement));
    assert!(written.await.is_err());
}

#[tokio::test]
async fn a_second_opening_is_refused_until_the_first_is_closed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("heddle.db");
    let first = open(&path).await.expect("opens");
    let refused = reason(open(&path).await);
    assert!(refused.contains("another process") && refused.contains("heddle.db"), "{refused}");
    first.close().await;
    open(&path).await.expect("opens again");
}

#[tokio::test]
async fn of_two_that_open_a_new_file_at_once_one_makes_its_schema_and_the_other_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("heddle.db");
    let (one, other) = tokio::join!(open(&path), open(&path));
    let (opened, refused) = if one.is_ok() { (one, other) } else { (other, one) };
    let (opened, refused) = (opened.expect("one of them opens"), reason(refused));
    assert!(refused.contains("another process"), "{refused}");
    opened.ping().await.expect("it works");
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart_and_leases_of_the_dead_are_not() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("new/heddle.db");
    let first = std::sync::Arc::new(open(&path).await.expect("opens"));
    let (store, scope) = (Store::new(first.clone(), Environment::system()), participant("alice"));
    let mut tx = store.begin(&scope);
    tx.enqueue(NewJob::new("work", "a", &()));
    tx.commit().await.expect("commits");
    assert_eq!(claim_all(&first).await.len(), 1);
    assert!(claim_all(&first).await.is_empty());
    first.close().await;
    let second = open(&path).await.expect("opens");
    assert_eq!(claim_all(&second).await.len(), 1);
}

#[tokio::test]
async fn a_newer_schema_is_refused_unless_it_says_that_it_can_be_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("heddle.db");
    open(&path).await.expect("opens").close().await;
    let newer = |readable_from: u32| {
        let connection = connection::writer(&path).expect("opens");
        let sql = "INSERT OR REPLACE INTO migration VALUES (9999, 'later', ?, 0)";
        connection.execute(sql, [readable_from]).expect("writes");
    };
    newer(1);
    open(&path).await.expect("a compatible schema").close().await;
    newer(9998);
    let refused = reason(open(&path).await);
    assert!(
        refused.contains("9999") && refused.contains("9998") && refused.contains("newer release"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    std::fs::write(
        &file,
        "this is no database, and it is long enough to be read as the head of one. ".repeat(20),
    )
    .expect("writes");
    let refused = reason(open(&file.join("heddle.db")).await);
    assert!(refused.contains("file/heddle.db") && refused.contains("directory"), "{refused}");
    let refused = reason(open(&file).await);
    assert!(refused.contains("file' cannot be used"), "{refused}");
    let refused = reason(open(directory.path()).await);
    assert!(refused.contains(&directory.path().display().to_string()), "{refused}");
}

#[tokio::test]
async fn a_claim_reads_no_table_from_end_to_end() {
    let database = SqliteDatabase::temporary(&Environment::system()).await.expect("opens");
    let plan = database.readers.read(|connection| {
        let explain = || {
            let sql = format!("EXPLAIN QUERY PLAN {}", claim::CANDIDATES);
            let mut statement = connection.prepare(&sql)?;
            let values = named_params! {
                ":now": 0, ":kinds": "[]", ":per_owner_max": 1, ":per_host_max": 1, ":limit": 1,
                ":per_owner_and_host_max": 1, ":after": "",
            };
            statement.query_map(values, |row| row.get(3))?.collect::<Result<Vec<String>, _>>()
        };
        explain().map_err(of_statement)
    });
    for step in plan.await.expect("explains") {
        // `job_leased…` hold only what is leased at the moment.
        let tables = ["job", "due", "earlier", "other"];
        let scans = tables.iter().any(|table| step.starts_with(&format!("SCAN {table}")));
        assert!(!scans || step.contains("INDEX job_leased"), "{step}");
    }
}

/// How many steps SQLite's machine takes to find what a worker with one free place may claim, while this many jobs wait
/// for a dead peer that holds as many places as it may, or none.
async fn steps_of_a_claim(queue: i64, held: i64) -> i32 {
    let database = SqliteDatabase::temporary(&Environment::system()).await.expect("opens");
    let work = database.writer.run(move |connection| {
        let insert = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?4)
             INSERT INTO job (id, owner, kind, order_key, payload, host, due_at, lease_until, created_at)
             SELECT ?1 || n, ?1, 'work', n, '', ?2, 1, iif(n <= ?3, 1000, NULL), 1 FROM n";
        let steps = || {
            for (owner, jobs) in [("p:alice", 5), ("p:zoe", 5)] {
                connection.execute(insert, (owner, None::<&str>, 0, jobs))?;
            }
            connection.execute(insert, ("p:mallory", "dead.example", held, queue))?;
            let mut statement = connection.prepare(claim::CANDIDATES)?;
            let values = named_params! {
                ":now": 10, ":kinds": "[\"work\"]", ":per_owner_max": 16, ":per_host_max": 32, ":limit": 1,
                ":per_owner_and_host_max": 8, ":after": "p:alice",
            };
            let found = statement.query_map(values, |row| row.get(1))?.collect::<Result<Vec<String>, _>>()?;
            assert_eq!(found, [if held == 0 { "p:mallory" } else { "p:zoe" }]);
            Ok(statement.get_status(rusqlite::StatementStatus::VmStep))
        };
        Ok((steps().map_err(of_statement)?, Moved::default()))
    });
    work.await.expect("it claims")
}

#[tokio::test]
async fn a_claim_costs_the_same_however_many_jobs_wait_for_a_dead_peer() {
    for held in [0, 8] {
        let (short, long) = (steps_of_a_claim(1_000, held).await, steps_of_a_claim(10_000, held).await);
        assert!(long < short + short / 10, "{held} held: {short} steps with 1,000, {long} with 10,000");
    }
}

#[tokio::test]
async fn closing_lets_those_who_read_finish_and_leaves_no_log_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("heddle.db");
    let database = open(&path).await.expect("opens");
    let ((begun, begins), (end, ends)) = (tokio::sync::oneshot::channel(), std::sync::mpsc::channel::<()>());
    let readers = database.readers.clone();
    let reading = tokio::spawn(async move {
        let read = move |connection: &rusqlite::Connection| {
            begun.send(()).expect("the test waits");
            ends.recv().expect("the test goes on");
            connection
                .query_row("SELECT count(*) FROM job", [], |row| row.get::<_, i64>(0))
                .map_err(of_statement)
        };
        readers.read(read).await
    });
    begins.await.expect("it reads");
    let mut closing = std::pin::pin!(database.close());
    let waits = std::future::poll_fn(|context| Poll::Ready(closing.as_mut().poll(context).is_pending()));
    assert!(waits.await);
    database.ping().await.expect("the writer closes after those who read");
    end.send(()).expect("it reads");
    closing.await;
    assert_eq!(reading.await.expect("ended").expect("read"), 0);
    assert!(!folder.path().join("heddle.db-wal").exists(), "the log is in the file");
}
