//! Releases that know different schemas on one database.

use heddle_store::{EventCursor, audit::verify};
use heddle_store_postgres::{
    PostgresOptions,
    testing::{connect_as_release, newest_schema},
};

use crate::support::{PATIENCE, connect_with, options, participant, refused, sql, store, url, write};

/// A release from before the audit log was sealed.
const OLDER: i64 = 5;

async fn schema_of(url: &str) -> String {
    sql(url, "SELECT max(number) FROM heddle.migration").await
}

#[tokio::test]
async fn an_older_release_keeps_working_while_a_newer_one_changes_the_schema_beside_it() {
    let url = url().await;
    let alice = participant("alice");
    let older = store(connect_as_release(OLDER, &url, &options()).await.expect("connects"));
    write(&older, &alice, "before").await.expect("commits");
    assert_eq!(schema_of(&url).await, OLDER.to_string());
    let newer = store(connect_with(&url, &options()).await.expect("it brings the schema up to date"));
    assert_eq!(schema_of(&url).await, newest_schema().to_string());
    write(&older, &alice, "beside").await.expect("the older one goes on");
    write(&newer, &alice, "newer").await.expect("commits");
    older.ping().await.expect("it says that it can work");
    let again = store(connect_as_release(OLDER, &url, &options()).await.expect("it may even start anew"));
    write(&again, &alice, "started later").await.expect("commits");
    assert_eq!(schema_of(&url).await, newest_schema().to_string());
    newer.newest_event().await.expect("every event has its place");
    for store in [&older, &newer, &again] {
        let events = store.events(&alice, EventCursor(0), 10).await.expect("reads");
        let subjects: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
        assert_eq!(subjects, ["before", "beside", "newer", "started later"]);
    }
    newer.database().seal_audit(10).await.expect("seals what all of them wrote");
    let report = verify(newer.database().audit_log(), &[]).await.expect("reads");
    assert_eq!((report.head.place, report.unsealed, report.broken), (4, 0, None));
    for store in [older, newer, again] {
        store.database().close().await;
    }
}

#[tokio::test]
async fn past_its_range_a_running_release_stops_and_says_what_to_do() {
    let url = url().await;
    let alice = participant("alice");
    let running = store(connect_with(&url, &options()).await.expect("connects"));
    write(&running, &alice, "before").await.expect("commits");
    // As the release of the future does it, in one transaction.
    let newer =
        "INSERT INTO heddle.migration VALUES (9000, 'of the future', 9000, 0); NOTIFY heddle, 'schema'";
    sql(&url, newer).await;
    let stops = async {
        for n in 0.. {
            if let Err(error) = write(&running, &alice, &format!("beside {n}")).await {
                return refused::<()>(Err(error));
            }
        }
        unreachable!("the numbers have ended")
    };
    let reason = tokio::time::timeout(PATIENCE, stops).await.expect("it is told");
    assert!(reason.contains("schema 9000") && reason.contains("install the newer release"), "{reason}");
    assert!(refused(running.ping().await).contains("schema 9000"), "readiness says it as well");
    assert!(refused(running.events(&alice, EventCursor(0), 1).await).contains("schema 9000"));
    assert!(refused(connect_with(&url, &options()).await).contains("schema 9000"), "nor does it start");
    sql(&url, "DELETE FROM heddle.migration WHERE number = 9000").await;
    running.ping().await.expect("whoever undoes it finds it working");
    write(&running, &alice, "after").await.expect("commits");
    running.database().close().await;
}

#[tokio::test]
async fn a_wait_for_another_process_that_changes_the_schema_may_be_longer_than_a_statement() {
    let url = url().await;
    let holder = url.clone();
    // It ends when it is seen to be waited for, and for longer than the limit.
    let held = "SELECT pg_advisory_lock(7, 1);
         DO $$ BEGIN
             WHILE clock_timestamp() < statement_timestamp() + interval '100 s'
                 AND NOT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
                               WHERE locktype = 'advisory' AND NOT granted AND classid = 7 AND objid = 1
                                 AND datname = current_database()
                                 AND clock_timestamp() - query_start > interval '2 s') LOOP
                 PERFORM pg_sleep(0.02);
                 PERFORM pg_stat_clear_snapshot();
             END LOOP;
         END $$;";
    let hold = tokio::spawn(async move { sql(&holder, held).await });
    let taken = async {
        while sql(&url, "SELECT count(*) FROM pg_locks WHERE classid = 7 AND objid = 1 AND granted").await
            == "0"
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, taken).await.expect("it is taken");
    let hasty = PostgresOptions { statement_wait: std::time::Duration::from_secs(1), ..options() };
    let database = connect_with(&url, &hasty).await.expect("it waits");
    assert_eq!(database.setting("statement_timeout").await.expect("reads"), "1s", "for all else it holds");
    hold.await.expect("it was waited for");
    heddle_store::Database::close(&database).await;
}
