//! Filters over 100,000 documents of one owner beside those of others, under the restricted role: which indexes they
//! use, and how many rows they touch.

use std::sync::Arc;

use heddle_clock::Environment;
use heddle_ids::ParticipantContextId;
use heddle_store::{
    Aggregate, Database, Store,
    contract::{
        seed::{Record, records},
        shapes::{self, Shape},
    },
};
use heddle_store_postgres::{PostgresDatabase, PostgresOptions, explain::explain, testing::TestPostgres};
use heddle_tenancy::{Actor, ParticipantScope, ScopeIssuer};

const OWN: u32 = 100_000;
const OTHERS: u32 = 20_000;
/// Rows that a filter with an index may touch for a page of fifty.
const TOUCHED_MAX: u64 = 12_000;

#[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
fn participant(id: &str) -> ParticipantScope {
    ScopeIssuer::new().participant(ParticipantContextId::parse(id).expect("legal"), Actor::new("test"))
}

async fn seeded() -> (Arc<PostgresDatabase>, Store, ParticipantScope) {
    let url = tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database");
    let environment = Environment::system();
    let database = PostgresDatabase::connect(&url, &PostgresOptions::default(), &environment).await;
    let database = Arc::new(database.expect("connects"));
    let store = Store::new(database.clone(), environment);
    let (alice, bob) = (participant("alice"), participant("bob"));
    let half = OWN / 2;
    let (first, second, others) = futures::join!(
        records(&store, &alice, 0..half),
        records(&store, &alice, half..OWN),
        records(&store, &bob, 0..OTHERS)
    );
    first.and(second).and(others).expect("commits");
    let analyze = move || TestPostgres::shared().administer(&url, "VACUUM ANALYZE");
    tokio::task::spawn_blocking(analyze).await.expect("analyzes");
    (database, store, alice)
}

/// Rows that the plan's nodes have found or thrown away.
fn touched(plan: &str) -> u64 {
    let number = |line: &str, after: &str| -> Option<u64> {
        let (_, rest) = line.split_once(after)?;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    };
    let lines = plan.lines();
    lines
        .map(|line| match number(line, "Rows Removed by Filter: ") {
            Some(removed) => removed,
            None => number(line, "(actual rows=").unwrap_or(0) * number(line, " loops=").unwrap_or(1),
        })
        .max()
        .unwrap_or(0)
}

/// What is wrong with the plans of a form.
async fn faults(
    database: &PostgresDatabase,
    store: &Store,
    alice: &ParticipantScope,
    shape: &Shape,
) -> Vec<String> {
    let (name, mut faults) = (shape.name, Vec::new());
    let count = store.begin(alice).count::<Record>(&shape.query).await.expect("counts");
    let close = shape.rows.abs_diff(count) <= shape.rows / 50 + 1;
    if !close {
        faults.push(format!("{name}: {count} rows, and about {} were expected", shape.rows));
    }
    let second = shapes::second_page(store, alice, shape).await.expect("lists");
    for query in [&shape.query, &second] {
        let plans = explain(database, alice, Record::KIND, query).await.expect("explains");
        for plan in &plans {
            let touched = touched(plan);
            let whole =
                ["property", "aggregate"].iter().any(|table| plan.contains(&format!("Seq Scan on {table}")));
            if !plan.contains("Index") || whole || touched > TOUCHED_MAX {
                faults.push(format!("{name} touches {touched} rows, or reads all of a table: {plan}"));
            }
        }
    }
    faults
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_use_indexes_under_the_restricted_role() {
    let (database, store, alice) = seeded().await;
    let mut wrong: Vec<String> = Vec::new();
    for shape in shapes::indexed() {
        wrong.extend(faults(&database, &store, &alice, &shape).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What no index answers looks at each document once, by its key, and never at another owner's.
    for shape in shapes::scans() {
        let plans = explain(&database, &alice, Record::KIND, &shape.query).await.expect("explains");
        let plan = plans.last().expect("a plan");
        assert!(!plan.contains("Seq Scan on property"), "{}: {plan}", shape.name);
        assert!(touched(plan) <= u64::from(OWN), "{} touches others' rows: {plan}", shape.name);
        assert_eq!(store.begin(&alice).count::<Record>(&shape.query).await.expect("counts"), shape.rows);
    }
}

/// What an older release writes beside this one is found by its old properties until the next start, and then by its
/// own.
#[tokio::test]
async fn what_an_older_release_has_written_is_indexed_at_a_start() {
    let url = tokio::task::spawn_blocking(|| TestPostgres::shared().url()).await.expect("a database");
    let environment = Environment::system();
    let database = PostgresDatabase::connect(&url, &PostgresOptions::default(), &environment).await;
    let database = Arc::new(database.expect("connects"));
    let (store, alice) = (Store::new(database.clone(), environment), participant("alice"));
    records(&store, &alice, 0..3).await.expect("commits");
    let old = "BEGIN; SET LOCAL ROLE heddle_app; SET LOCAL heddle.owner = 'p:alice';
        SELECT heddle.save('record', 'asset-0000001', 1, '{\"id\":\"asset-0000001\",\"body\":{\"kind\":\"new\"}}',
            NULL, NULL, NULL, NULL, NULL, NULL, 0);
        INSERT INTO heddle.aggregate (owner, kind, id, version, document, created_at, updated_at)
        VALUES ('p:alice', 'record', 'x', 1, '{\"id\":\"x\",\"body\":{\"kind\":\"new\"}}', 0, 0);
        COMMIT";
    let administer = move || TestPostgres::shared().administer(&url, old);
    tokio::task::spawn_blocking(administer).await.expect("administers");
    let found = async || {
        let test = heddle_store::filter::Test::Equal(heddle_store::filter::Scalar::from_text("new"));
        let query = heddle_store::Query {
            filter: heddle_store::filter::Filter::path("kind", test),
            ..Default::default()
        };
        store.begin(&alice).count::<Record>(&query).await.expect("counts")
    };
    assert_eq!(found().await, 0);
    #[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
    let scopes = ScopeIssuer::new();
    let kinds = [heddle_store::Indexed::of::<Record>()];
    assert_eq!(store.index(&scopes, &kinds).await.expect("indexes"), 2);
    assert_eq!(found().await, 2);
    assert_eq!(store.index(&scopes, &kinds).await.expect("indexes"), 0, "once is enough");
    database.close().await;
}
