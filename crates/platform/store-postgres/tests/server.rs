//! What only this implementation promises: roles, row-level security, settings, several processes on one database.

use std::{sync::Arc, time::Duration};

use heddle_clock::Environment;
use heddle_ids::{ParticipantContextId, WorkerId};
use heddle_store::{
    ClaimRequest, Database, DirectoryRow, EventCursor, NewEvent, NewJob, Store, StoreError, Transaction,
};
use heddle_store_postgres::{PostgresDatabase, PostgresOptions, testing::TestPostgres};
use heddle_tenancy::{Actor, ParticipantScope, ScopeIssuer};

const PATIENCE: Duration = Duration::from_secs(30);
const LEASE: Duration = Duration::from_secs(120);

#[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
fn participant(id: &str) -> ParticipantScope {
    ScopeIssuer::new().participant(ParticipantContextId::parse(id).expect("legal"), Actor::new("test"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("it does not panic")
}

async fn url() -> String {
    blocking(|| TestPostgres::shared().url()).await
}

async fn sql(url: &str, sql: &str) -> String {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    blocking(move || TestPostgres::shared().administer(&url, &sql)).await
}

async fn try_connect(url: &str) -> Result<PostgresDatabase, StoreError> {
    let options = PostgresOptions { connections_max: 4, ..PostgresOptions::default() };
    PostgresDatabase::connect(url, &options, &Environment::system()).await
}

async fn connect(url: &str) -> (Arc<PostgresDatabase>, Store) {
    let database = Arc::new(try_connect(url).await.expect("connects"));
    (database.clone(), Store::new(database, Environment::system()))
}

async fn commit(store: &Store, scope: &ParticipantScope, write: impl FnOnce(&mut Transaction<'_>)) {
    let mut tx = store.begin(scope);
    write(&mut tx);
    tx.commit().await.expect("commits");
}

/// A row of every kind, for two participants.
async fn two_participants(store: &Store) {
    for name in ["alice", "bob"] {
        let write = |tx: &mut Transaction<'_>| {
            tx.enqueue(NewJob::new("work", "a", &()));
            tx.emit(NewEvent::new("e", "a", &()));
            tx.once("n", tx.now() + PATIENCE);
            tx.audit("a", "b");
            tx.publish(DirectoryRow::new("fact", name, &()));
            let (until, key) = (tx.now() + PATIENCE, heddle_store::AnswerKey::new("client", "key"));
            let answer = (200, Vec::new(), String::new());
            tx.remember(&heddle_store::Answer::new(&key, String::new(), answer, until));
        };
        commit(store, &participant(name), write).await;
    }
}

#[tokio::test]
async fn every_table_with_an_owner_has_forced_row_level_security() {
    let url = url().await;
    let (database, _) = connect(&url).await;
    let owned = "SELECT c.table_name FROM information_schema.columns c
                 WHERE c.table_schema = 'heddle' AND c.column_name = 'owner' ORDER BY 1";
    let tables = sql(&url, owned).await;
    assert_eq!(
        tables.lines().collect::<Vec<_>>(),
        ["aggregate", "audit", "directory", "event", "job", "nonce", "property"]
    );
    let secured = "SELECT relname FROM pg_class WHERE relnamespace = 'heddle'::regnamespace
                   AND relrowsecurity AND relforcerowsecurity ORDER BY 1";
    assert_eq!(sql(&url, secured).await, tables);
    let loose = "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'heddle\\_%' AND (rolsuper OR rolbypassrls OR rolcanlogin)";
    assert_eq!(sql(&url, loose).await, "0");
    assert_eq!(sql(&url, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'heddle\\_%'").await, "7");
    database.close().await;
}

#[tokio::test]
async fn the_applications_role_sees_the_rows_of_its_owner_alone() {
    let url = url().await;
    let (database, store) = connect(&url).await;
    two_participants(&store).await;
    for table in ["aggregate", "job", "event", "audit", "directory"] {
        // As the superuser, to prove that the rows are there.
        assert_eq!(sql(&url, &format!("SELECT count(*) FROM heddle.{table}")).await, "2", "{table}");
        let seen = async |settings: &str| {
            let read = format!("SELECT DISTINCT owner FROM heddle.{table} ORDER BY 1");
            sql(&url, &format!("BEGIN; SET LOCAL ROLE heddle_app; {settings}; {read}; COMMIT")).await
        };
        assert_eq!(seen("SELECT").await, "", "{table} without an owner");
        assert_eq!(seen("SET LOCAL heddle.owner = 'p:alice'").await, "p:alice", "{table}");
        assert_eq!(seen("SET LOCAL heddle.owner = 'p:carol'").await, "", "{table}");
    }
    let nonces = "SELECT has_table_privilege('heddle_app', 'heddle.nonce', 'SELECT')";
    assert_eq!(sql(&url, nonces).await, "f", "nonces are only ever inserted");
    database.close().await;
}

#[tokio::test]
async fn the_other_roles_see_no_more_than_their_task_needs() {
    let url = url().await;
    let (database, store) = connect(&url).await;
    two_participants(&store).await;
    let may = async |role: &str, table: &str, columns: &str| {
        let check = format!(
            "SELECT coalesce(string_agg(column_name, ',' ORDER BY ordinal_position), '')
             FROM information_schema.columns WHERE table_schema = 'heddle' AND table_name = '{table}'
               AND has_column_privilege('{role}', 'heddle.{table}', column_name, '{columns}')"
        );
        sql(&url, &check).await
    };
    assert_eq!(may("heddle_worker", "event", "SELECT").await, "seq,place");
    assert_eq!(may("heddle_worker", "job", "UPDATE").await, "lease_worker,lease_token,lease_until");
    assert_eq!(may("heddle_worker", "aggregate", "SELECT").await, "");
    let dead = "id,owner,kind,order_key,host,attempts,trace,last_error,buried,created_at,buried_at";
    assert_eq!(may("heddle_management", "job", "SELECT").await, dead, "and not what they carry");
    assert_eq!(may("heddle_management", "job", "UPDATE").await, "");
    let waiting = "BEGIN; SET LOCAL ROLE heddle_management; SELECT count(id) FROM heddle.job; COMMIT";
    assert_eq!(sql(&url, waiting).await, "0", "jobs that were not set aside");
    assert_eq!(may("heddle_sweeper", "aggregate", "SELECT").await, "kind,due_at");
    assert_eq!(may("heddle_directory", "aggregate", "SELECT").await, "");
    assert_eq!(may("heddle_indexer", "aggregate", "SELECT").await, "owner,kind,unindexed");
    for role in ["worker", "sweeper", "directory", "management", "indexer"] {
        assert_eq!(may(&format!("heddle_{role}"), "property", "SELECT").await, "", "{role}");
    }
    assert_eq!(may("heddle_directory", "directory", "UPDATE").await, "");
    assert_eq!(may("heddle_app", "audit", "UPDATE").await, "");
    let seen =
        sql(&url, "BEGIN; SET LOCAL ROLE heddle_management; SELECT count(*) FROM heddle.event; COMMIT");
    assert_eq!(seen.await, "0", "a participant's events are not management's");
    database.close().await;
}

#[tokio::test]
async fn what_is_acknowledged_is_durable() {
    let url = url().await;
    sql(&url, "ALTER ROLE heddle SET synchronous_commit = off").await;
    let (database, _) = connect(&url).await;
    assert_eq!(database.setting("synchronous_commit").await.expect("reads"), "on");
    sql(&url, "ALTER ROLE heddle RESET synchronous_commit").await;
    database.close().await;
}

/// Claims what is due and gives the order keys.
async fn claim(database: &PostgresDatabase, worker: &str) -> Vec<String> {
    let now = Environment::system().now();
    let request = ClaimRequest {
        worker: WorkerId::parse(worker).expect("legal"),
        kinds: vec!["work".to_owned()],
        limit: 10,
        after: None,
        per_owner_max: 10,
        per_host_max: 10,
        now,
        until: now + LEASE,
        token: worker.to_owned(),
    };
    database.claim(request).await.expect("claims").into_iter().map(|job| job.order_key).collect()
}

/// How many rows a claim for one free place reads while this many jobs wait for a dead peer that holds as many places as
/// it may, or none.
async fn rows_of_a_claim(url: &str, queue: u32, held: u32) -> i64 {
    let insert = |owner: &str, jobs: u32, host: &str, held: u32| {
        format!(
            "INSERT INTO heddle.job (id, owner, kind, order_key, payload, host, due_at, lease_until, created_at)
             SELECT '{owner}' || n, 'p:{owner}', 'work', n, '', {host}, 1, CASE WHEN n <= {held} THEN 1000 END, 1
             FROM generate_series(1, {jobs}) AS n;"
        )
    };
    let others = insert("alice", 5, "NULL", 0) + &insert("zoe", 5, "NULL", 0);
    let mallory = insert("mallory", queue, "'dead.example'", held);
    let claim = format!(
        "BEGIN; {others} {mallory} COMMIT; BEGIN; SET LOCAL ROLE heddle_worker;
         SELECT owner FROM heddle.claim('w', 't', 100, 10, ARRAY['work'], 1, 16, 32, 8, 'p:alice');
         SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
         WHERE schemaname = 'heddle' AND relname = 'job'; ROLLBACK; DELETE FROM heddle.job"
    );
    let said = sql(url, &claim).await;
    let (owner, rows) = said.split_once('\n').expect("an owner and a number");
    assert_eq!(owner, if held == 0 { "p:mallory" } else { "p:zoe" });
    rows.parse().expect("a number")
}

#[tokio::test]
async fn a_claim_reads_as_many_rows_however_many_jobs_wait_for_a_dead_peer() {
    let url = url().await;
    let _open = connect(&url).await;
    for held in [0, 8] {
        let (short, long) =
            (rows_of_a_claim(&url, 1_000, held).await, rows_of_a_claim(&url, 10_000, held).await);
        assert!(long < short + short / 10, "{held} held: {short} rows with 1,000, {long} with 10,000");
    }
}

#[tokio::test]
async fn two_processes_share_a_database_and_wake_each_other() {
    let url = url().await;
    let (first, one) = connect(&url).await;
    let (second, other) = connect(&url).await;
    let alice = participant("alice");
    let (mut jobs, mut events) = (other.signals().jobs(), other.signals().events());
    let write = |tx: &mut Transaction<'_>| {
        tx.enqueue(NewJob::new("work", "a", &()));
        tx.emit(NewEvent::new("e", "a", &()));
    };
    commit(&one, &alice, write).await;
    tokio::time::timeout(PATIENCE, jobs.changed()).await.expect("in time").expect("open");
    tokio::time::timeout(PATIENCE, events.changed()).await.expect("in time").expect("open");
    assert_eq!(other.events(&alice, EventCursor(0), 10).await.expect("reads").len(), 1);
    let (a, b) = tokio::join!(claim(&first, "a"), claim(&second, "b"));
    assert_eq!(a.len() + b.len(), 1, "one of them has it");
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn leases_of_a_process_that_died_are_free_long_before_they_run_out() {
    let url = url().await;
    let (living, store) = connect(&url).await;
    let (dying, _) = connect(&url).await;
    let alice = participant("alice");
    for (database, worker) in [(&living, "living"), (&dying, "dying"), (&living, "earlier")] {
        commit(&store, &alice, |tx| tx.enqueue(NewJob::new("work", worker, &()))).await;
        assert_eq!(claim(database, worker).await, [worker]);
    }
    // As a release without presences would have written it.
    sql(&url, "UPDATE heddle.job SET lease_worker = 'w' WHERE order_key = 'earlier'").await;
    dying.close().await;
    drop(dying);
    let (next, _) = connect(&url).await;
    let mut signal = next.signals().jobs();
    let freed = async {
        loop {
            let found = claim(&next, "next").await;
            if !found.is_empty() {
                return found;
            }
            signal.changed().await.expect("the database lives");
        }
    };
    let found = tokio::time::timeout(LEASE / 2, freed).await.expect("the leases would run out only later");
    assert_eq!(found, ["dying"], "the leases of the living, and of who shows no presence, are left alone");
    living.close().await;
    next.close().await;
}

/// Who holds the lease of the only job, as often as it takes to become `wanted`.
async fn holder_becomes(url: &str, wanted: &str) {
    let holder = async {
        while sql(url, "SELECT lease_worker FROM heddle.job").await != wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, holder).await.expect("in time");
}

#[tokio::test]
async fn a_living_process_that_cannot_show_its_presence_keeps_its_leases() {
    let url = url().await;
    let (living, store) = connect(&url).await;
    let (other, _) = connect(&url).await;
    let alice = participant("alice");
    let restrict = async |connections: &str| {
        let name = url.rsplit('/').next().expect("a name");
        sql(&url, &format!("ALTER DATABASE {name} CONNECTION LIMIT {connections}")).await;
        // The sessions that hold presences break; only the pools' stay.
        sql(&url, "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE classid = 8").await;
    };
    commit(&store, &alice, |tx| tx.enqueue(NewJob::new("work", "a", &()))).await;
    assert_eq!(claim(&living, "w").await, ["a"]);
    assert_eq!(sql(&url, "SELECT lease_worker FROM heddle.job").await, "present:w");
    restrict("0").await;
    // It says itself that its lease is not to be judged; had the other been faster, nobody would hold it.
    holder_becomes(&url, "w").await;
    restrict("-1").await;
    // It shows itself again by and by; all its leases are judged by its presence from then on, that one too.
    holder_becomes(&url, "present:w").await;
    living.close().await;
    other.close().await;
}

#[tokio::test]
async fn events_of_many_processes_keep_one_order() {
    let url = url().await;
    let (first, one) = connect(&url).await;
    let (second, other) = connect(&url).await;
    let alice = participant("alice");
    let emit = async |store: &Store, name: &str| {
        for n in 0..50 {
            commit(store, &alice, |tx| tx.emit(NewEvent::new("e", name, &n))).await;
        }
    };
    let follow = async {
        let mut signal = one.signals().events();
        let mut places = Vec::new();
        while places.len() < 100 {
            signal.mark_unchanged();
            let after = EventCursor(places.last().copied().unwrap_or(0));
            let page = one.events(&alice, after, 7).await.expect("reads");
            if page.is_empty() {
                tokio::time::timeout(PATIENCE, signal.changed()).await.expect("in time").expect("open");
            }
            places.extend(page.iter().map(|event| event.cursor.0));
        }
        places
    };
    let (places, (), ()) = tokio::join!(follow, emit(&one, "one"), emit(&other, "other"));
    assert_eq!(places, (1..=100).collect::<Vec<u64>>());
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn many_processes_may_start_at_once_on_an_empty_database() {
    let url = url().await;
    let starts = futures::future::join_all((0..6).map(|_| try_connect(&url))).await;
    for started in starts {
        started.expect("connects").close().await;
    }
    let applied = async |url: &str| {
        sql(url, "SELECT string_agg(name, ' ' ORDER BY number) FROM heddle.migration").await
    };
    let alone = self::url().await;
    try_connect(&alone).await.expect("connects").close().await;
    assert_eq!(applied(&url).await, applied(&alone).await, "each step once");
}

#[tokio::test]
async fn a_newer_schema_is_refused_unless_it_says_that_it_can_be_read() {
    let url = url().await;
    try_connect(&url).await.expect("connects").close().await;
    sql(&url, "INSERT INTO heddle.migration VALUES (9999, 'later', 1, 0)").await;
    try_connect(&url).await.expect("a compatible schema").close().await;
    sql(&url, "UPDATE heddle.migration SET readable_from = 9998 WHERE number = 9999").await;
    match try_connect(&url).await {
        Err(StoreError::Unusable { reason }) => assert!(reason.contains("9998"), "{reason}"),
        other => panic!("expected Unusable, got {other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_no_error_holds_the_password() {
    let absent = "postgresql://heddle:s3cret@127.0.0.1:1/heddle";
    for (url, is_unavailable) in [(absent, true), ("postgresql://heddle:s3cret@:::/", false)] {
        let Err(error) = try_connect(url).await else { panic!("nobody answers") };
        assert_eq!(matches!(error, StoreError::Unavailable { .. }), is_unavailable, "{error}");
        assert_eq!(matches!(error, StoreError::Unusable { .. }), !is_unavailable, "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let server = blocking(TestPostgres::start).await;
    let (url, server) = blocking(move || (server.url(), server)).await;
    let (database, store) = connect(&url).await;
    let alice = participant("alice");
    commit(&store, &alice, |tx| tx.emit(NewEvent::new("e", "before", &()))).await;
    let stop = move || {
        server.stop();
        server
    };
    let server = blocking(stop).await;
    let mut tx = store.begin(&alice);
    tx.emit(NewEvent::new("e", "meanwhile", &()));
    let refused = tx.commit().await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    let restart = move || {
        server.restart();
        server
    };
    let server = blocking(restart).await;
    commit(&store, &alice, |tx| tx.emit(NewEvent::new("e", "after", &()))).await;
    let mut signal = store.signals().events();
    let subjects = async {
        loop {
            signal.mark_unchanged();
            let events = store.events(&alice, EventCursor(0), 10).await.expect("reads");
            if events.len() >= 2 {
                return events.into_iter().map(|event| event.subject).collect::<Vec<_>>();
            }
            signal.changed().await.expect("open");
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, subjects).await.expect("in time"), ["before", "after"]);
    database.close().await;
    blocking(move || drop(server)).await;
}
