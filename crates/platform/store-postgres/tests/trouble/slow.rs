//! Statements that take too long, and servers that say nothing: a clear error, and nothing hangs.

use std::time::Duration;

use heddle_store::{EventCursor, StoreError};
use heddle_store_postgres::PostgresOptions;

use crate::{
    proxy::Proxy,
    support::{PATIENCE, commit, connect_with, options, participant, sql, store, url, write},
};

fn unavailable<T>(outcome: Result<T, StoreError>) -> String {
    match outcome {
        Err(StoreError::Unavailable { reason }) => reason,
        Err(other) => panic!("expected Unavailable, got {other:?}"),
        Ok(_) => panic!("expected Unavailable"),
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_ends_with_a_clear_error_and_the_next_one_works() {
    let url = url().await;
    let alice = participant("alice");
    let hasty = PostgresOptions {
        connections_max: 2,
        statement_wait: Duration::from_secs(2),
        ..PostgresOptions::default()
    };
    let store = store(connect_with(&url, &hasty).await.expect("connects"));
    let holder = url.clone();
    // It holds the table until a statement of the store has waited for it, and was broken off.
    let held = "BEGIN; LOCK TABLE heddle.nonce IN ACCESS EXCLUSIVE MODE;
         DO $$ DECLARE waited boolean := false; BEGIN
             WHILE clock_timestamp() < statement_timestamp() + interval '100 s' LOOP
                 PERFORM pg_stat_clear_snapshot();
                 IF EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'heddle.nonce'::regclass) THEN
                     waited := true;
                 ELSIF waited THEN
                     RETURN;
                 END IF;
                 PERFORM pg_sleep(0.01);
             END LOOP;
         END $$; COMMIT;";
    let hold = tokio::spawn(async move { sql(&holder, held).await });
    let locked = "SELECT count(*) FROM pg_locks WHERE granted AND relation = 'heddle.nonce'::regclass
         AND mode = 'AccessExclusiveLock'";
    let taken = async {
        while sql(&url, locked).await == "0" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, taken).await.expect("it is locked");
    let slow = |tx: &mut heddle_store::Transaction<'_>| {
        tx.audit("thing.change", "slow");
        tx.once("slow", tx.now());
    };
    let reason = unavailable(commit(&store, &alice, slow).await);
    assert!(reason.contains("took too long") && reason.contains("nothing of it is stored"), "{reason}");
    hold.await.expect("it lets go");
    commit(&store, &alice, slow).await.expect("nothing of the first attempt is there");
    assert_eq!(sql(&url, "SELECT count(*) FROM heddle.audit").await, "1");
    store.database().close().await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_and_found_again() {
    let url = url().await;
    let address = url.split(['@', '/']).nth(3).expect("host and port").to_owned();
    let proxy = Proxy::before(address.clone()).await;
    let through = url.replace(&address, &proxy.address());
    let alice = participant("alice");
    let hasty = PostgresOptions {
        connect_wait: Duration::from_secs(2),
        pool_wait: Duration::from_secs(2),
        statement_wait: Duration::from_secs(1),
        ..options()
    };
    let store = store(connect_with(&through, &hasty).await.expect("connects"));
    write(&store, &alice, "before").await.expect("commits");
    proxy.fall_silent();
    let all = async {
        tokio::join!(
            write(&store, &alice, "meanwhile"),
            store.events(&alice, EventCursor(0), 10),
            store.lookup("fact", "key"),
            store.ping(),
        )
    };
    let (written, events, looked_up, ping) =
        tokio::time::timeout(PATIENCE, all).await.expect("nobody waits for ever");
    for reason in [unavailable(written), unavailable(events), unavailable(looked_up), unavailable(ping)] {
        assert!(reason.contains("not answer") || reason.contains("in time"), "{reason}");
    }
    proxy.speak();
    let again = async {
        let mut n = 0;
        // Connections that were made in the silence are given up one after the other.
        while write(&store, &alice, &format!("after {n}")).await.is_err() {
            n += 1;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("it works again");
    store.database().close().await;
}
