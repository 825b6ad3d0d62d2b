//! Filters over 100,000 documents of one owner beside those of others, and which indexes they use.

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
use heddle_store_sqlite::{SqliteDatabase, explain::explain};
use heddle_tenancy::{Actor, ParticipantScope, ScopeIssuer};

const OWN: u32 = 100_000;
const OTHERS: u32 = 20_000;

#[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
fn participant(id: &str) -> ParticipantScope {
    ScopeIssuer::new().participant(ParticipantContextId::parse(id).expect("legal"), Actor::new("test"))
}

async fn seeded() -> (Arc<SqliteDatabase>, Store, ParticipantScope) {
    let environment = Environment::system();
    let database = Arc::new(SqliteDatabase::temporary(&environment).await.expect("opens"));
    let store = Store::new(database.clone(), environment);
    let (alice, bob) = (participant("alice"), participant("bob"));
    records(&store, &alice, 0..OWN).await.expect("commits");
    records(&store, &bob, 0..OTHERS).await.expect("commits");
    (database, store, alice)
}

async fn check_index_use(database: &SqliteDatabase, store: &Store, alice: &ParticipantScope, shape: &Shape) {
    let name = shape.name;
    let count = store.begin(alice).count::<Record>(&shape.query).await.expect("counts");
    let close = shape.rows.abs_diff(count) <= shape.rows / 50 + 1;
    assert!(close, "{name}: {count} rows, and about {} were expected", shape.rows);
    let second = shapes::second_page(store, alice, shape).await.expect("lists");
    for query in [&shape.query, &second] {
        let plans = explain(database, alice, Record::KIND, query).await.expect("explains");
        for line in plans.iter().flat_map(|plan| plan.lines()) {
            // Subqueries and lists of values are scanned; tables are searched, and properties by their path.
            let scan = line.starts_with("SCAN") && line.contains("USING");
            let searched = ["property_", "PRIMARY KEY"].iter().any(|index| line.contains(index));
            assert!(!scan && (!searched || line.contains("path=?")), "{name}: {plans:#?}");
            assert!(!line.contains("AUTOMATIC"), "{name} builds an index: {plans:#?}");
        }
        assert!(plans.iter().any(|plan| plan.contains(shape_index(shape))), "{name}: {plans:#?}");
    }
}

/// The index that a form goes by.
fn shape_index(shape: &Shape) -> &'static str {
    let by_number = ["< of a price", "range of prices", "> of most prices", "sort by price, descending"];
    if by_number.contains(&shape.name) { "property_number" } else { "property_text" }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_use_indexes() {
    let (database, store, alice) = seeded().await;
    for shape in shapes::indexed() {
        check_index_use(&database, &store, &alice, &shape).await;
    }
    // What no index answers looks at each document once, by its key, and never at another owner's.
    for shape in shapes::scans() {
        let plans = explain(&database, &alice, Record::KIND, &shape.query).await.expect("explains");
        let plan = plans.last().expect("a plan");
        assert!(plan.contains("SEARCH p1 USING PRIMARY KEY"), "{}: {plan}", shape.name);
        assert_eq!(store.begin(&alice).count::<Record>(&shape.query).await.expect("counts"), shape.rows);
    }
}

/// Documents that an older release has stored, changed and deleted are found by what they are after the next start.
#[tokio::test]
async fn what_an_older_release_has_written_is_indexed_at_a_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("heddle.db");
    let alice = participant("alice");
    let open = async || Arc::new(SqliteDatabase::open(&path, &Environment::system()).await.expect("opens"));
    let database = open().await;
    records(&Store::new(database.clone(), Environment::system()), &alice, 0..4).await.expect("commits");
    database.close().await;
    drop(database);
    let old = r#"UPDATE aggregate SET version = version + 1, document = '{"id":"asset-0000001","body":{"kind":"new"}}'
            WHERE id = 'asset-0000001';
        DELETE FROM aggregate WHERE id = 'asset-0000002';
        INSERT INTO aggregate (owner, kind, id, version, document, created_at, updated_at)
        VALUES ('p:alice', 'record', 'x', 1, '{"id":"x","body":{"kind":"new"}}', 0, 0)"#;
    heddle_store_sqlite::testing::administer(&path, old);
    let database = open().await;
    let store = Store::new(database.clone(), Environment::system());
    let found = async |kind: &str| {
        let test = heddle_store::filter::Test::Equal(heddle_store::filter::Scalar::from_text(kind));
        let query = heddle_store::Query {
            filter: heddle_store::filter::Filter::path("kind", test),
            ..Default::default()
        };
        store.begin(&alice).count::<Record>(&query).await.expect("counts")
    };
    assert_eq!(found("kind-02").await, 0, "what was deleted is found by nothing");
    #[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
    let scopes = ScopeIssuer::new();
    let kinds = [heddle_store::Indexed::of::<Record>()];
    assert_eq!(store.index(&scopes, &kinds).await.expect("indexes"), 2);
    assert_eq!((found("new").await, found("kind-01").await), (2, 0));
    assert_eq!(store.index(&scopes, &kinds).await.expect("indexes"), 0, "once is enough");
    database.close().await;
}
