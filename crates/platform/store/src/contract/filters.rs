//! Filters and sorts by properties, against an oracle that knows nothing of rows.

mod oracle;

use heddle_tenancy::{ParticipantScope, Scope};
use serde_json::{Value, json};

use self::oracle::{Dice, Oracle};
use super::{World, seed::Record};
use crate::{
    Loaded, Query, Sort, StoreError,
    filter::{Condition, Filter, KEY_BYTES, Test, condition},
};

async fn insert(world: &World, scope: &dyn Scope, record: &Record) {
    let mut transaction = world.store.begin(scope);
    transaction.insert(record);
    transaction.commit().await.expect("the insert commits");
}

async fn rows(world: &World, scope: &dyn Scope, query: &Query) -> Result<Vec<Loaded<Record>>, StoreError> {
    world.store.begin(scope).list::<Record>(query).await
}

/// Ids of a list, in its order; the count agrees with it when it is whole.
async fn listed(world: &World, scope: &dyn Scope, query: &Query) -> Vec<String> {
    let found = rows(world, scope, query).await.unwrap_or_else(|error| panic!("{query:?}: {error}"));
    let ids: Vec<String> = found.into_iter().map(|row| row.id.clone()).collect();
    if query.offset == 0 && query.after.is_none() && query.limit == Query::default().limit {
        let count = world.store.begin(scope).count::<Record>(query).await.expect("counts");
        assert_eq!(count, ids.len() as u64, "{query:?}");
    }
    ids
}

fn read(path: &str, operator: &str, operand: &Value) -> Filter {
    condition(&Condition { path, operator, operand }).expect("a condition")
}

fn having(filter: Filter) -> Query {
    Query { filter, ..Query::default() }
}

fn sorted(path: &str, descending: bool) -> Query {
    Query { sort: Some(Sort { path: path.to_owned(), descending }), ..Query::default() }
}

/// One record of each sort of value under one path.
async fn values(world: &World, scope: &ParticipantScope) {
    for (id, body) in [
        ("number", json!({"v": 10})),
        ("float", json!({"v": 9.5})),
        ("text", json!({"v": "b"})),
        ("digits", json!({"v": "10"})),
        ("flag", json!({"v": true})),
        ("list", json!({"v": ["a", "B", 3]})),
        ("nested", json!({"v": {"v": "b"}})),
        ("null", json!({"v": null})),
        ("none", json!({"w": "b"})),
    ] {
        insert(world, scope, &Record::new(id, body)).await;
    }
}

/// What every operator finds, for operands of every sort. What is not there is found by none, `!=` and `not in`
/// included; a list passes when an element does, and passes a negation when none does.
pub async fn every_operator_on_every_sort_of_value(world: &World) {
    let alice = world.participant("alice");
    values(world, &alice).await;
    let all = ["digits", "flag", "float", "list", "number", "text"];
    let without = |some: &[&str]| all.into_iter().filter(|id| !some.contains(id)).collect::<Vec<&str>>();
    for (operator, operand, expected) in [
        ("=", json!("b"), vec!["text"]),
        ("=", json!(10), vec!["digits", "number"]),
        ("=", json!("10"), vec!["digits", "number"]),
        ("=", json!(10.0), vec!["digits", "number"]),
        ("=", json!(true), vec!["flag"]),
        ("=", json!("a"), vec!["list"]),
        ("!=", json!("b"), without(&["text"])),
        ("!=", json!("a"), without(&["list"])),
        ("!=", json!(10), without(&["digits", "number"])),
        ("in", json!(["b", 3, 9.5]), vec!["float", "list", "text"]),
        ("in", json!([]), vec![]),
        ("not in", json!(["b", 3]), without(&["list", "text"])),
        ("not in", json!([]), all.to_vec()),
        ("<", json!(10), vec!["float", "list"]),
        ("<=", json!(10), vec!["float", "list", "number"]),
        (">", json!(9), vec!["float", "number"]),
        (">=", json!(9.5), vec!["float", "number"]),
        ("<", json!("b"), vec!["digits", "list"]),
        ("<=", json!("b"), vec!["digits", "list", "text"]),
        (">", json!("a"), vec!["flag", "text"]),
        (">=", json!("b"), vec!["flag", "text"]),
        ("like", json!("1%"), vec!["digits", "number"]),
        ("like", json!("_"), vec!["list", "text"]),
        ("like", json!("%e"), vec!["flag"]),
        ("like", json!("b"), vec!["text"]),
        ("ilike", json!("b"), vec!["list", "text"]),
        ("ilike", json!("TR%"), vec!["flag"]),
        ("contains", json!("a"), vec!["list"]),
        ("contains", json!("ru"), vec!["flag"]),
        ("contains", json!(3), vec!["list"]),
        ("contains", json!("."), vec!["float"]),
    ] {
        let found = listed(world, &alice, &having(read("v", operator, &operand))).await;
        assert_eq!(found, expected, "{operator} {operand}");
    }
    // Of a list one element may be above the lower bound and another below the upper one.
    for (low, high, expected) in [
        (json!(9), json!(9.75), vec!["float"]),
        (json!(3), json!(20), vec!["float", "list", "number"]),
        (json!("B"), json!("Z"), vec!["list"]),
        (json!("ab"), json!("bb"), vec!["text"]),
    ] {
        let range = Filter::All(vec![read("v", ">=", &low), read("v", "<", &high)]);
        for query in [having(range.clone()), Query { filter: range, ..sorted("id", false) }] {
            assert_eq!(listed(world, &alice, &query).await, expected, "{low} to {high}");
        }
    }
    insert(world, &alice, &Record::new("wide", json!({"v": [1, 100]}))).await;
    let range = Filter::All(vec![read("v", ">", &json!(30)), read("v", "<=", &json!(2))]);
    assert_eq!(listed(world, &alice, &having(range)).await, ["wide"]);
    let mut transaction = world.store.begin(&alice);
    let loaded = transaction.load::<Record>("wide").await.expect("reads").expect("is there");
    transaction.delete(&loaded);
    transaction.commit().await.expect("commits");
    assert_eq!(listed(world, &alice, &having(read("v.v", "=", &json!("b")))).await, ["nested"]);
    let absent = having(Filter::path("v", Test::Absent));
    assert_eq!(listed(world, &alice, &absent).await, ["nested", "none", "null"]);
    assert_eq!(listed(world, &alice, &having(Filter::path("v", Test::Present))).await, all);
}

/// Random filters, sorts and pages over random documents find what the oracle finds, in its order.
pub async fn random_filters_agree_with_an_oracle(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    for seed in 0..3 {
        let mut dice = Dice::new(seed);
        let oracle = Oracle::random(&mut dice, seed);
        for record in &oracle.records {
            insert(world, &alice, record).await;
        }
        insert(world, &bob, &oracle.records[0]).await;
        for _ in 0..150 {
            let query = oracle.query(&mut dice);
            let found = listed(world, &alice, &query.query).await;
            assert_eq!(found, oracle.answer(&query), "seed {seed}: {query:?}");
        }
        for record in &oracle.records {
            let mut transaction = world.store.begin(&alice);
            let loaded = transaction.load::<Record>(&record.id).await.expect("reads").expect("is there");
            transaction.delete(&loaded);
            transaction.commit().await.expect("commits");
        }
        let mut transaction = world.store.begin(&bob);
        let loaded =
            transaction.load::<Record>(&oracle.records[0].id).await.expect("reads").expect("is there");
        transaction.delete(&loaded);
        transaction.commit().await.expect("commits");
    }
}

/// Numbers, texts, nothing; page by page by the last place, in either direction, with and without a narrow condition.
pub async fn lists_sorted_by_a_property_are_read_on_by_their_last_place(world: &World) {
    let alice = world.participant("alice");
    let bodies =
        [json!(3), json!(20), json!(20), json!("b"), json!("B"), json!("10"), json!([7, 1]), json!(null)];
    for (index, value) in bodies.into_iter().chain([json!(null)]).enumerate() {
        insert(world, &alice, &Record::new(&format!("r{index}"), json!({"v": value, "all": 1}))).await;
    }
    let up = ["r0", "r6", "r1", "r2", "r5", "r4", "r3", "r7", "r8"];
    let down = ["r2", "r1", "r6", "r0", "r3", "r4", "r5", "r7", "r8"];
    for filter in [Filter::default(), read("all", "=", &json!(1)), read("id", "like", &json!("%r%"))] {
        for (descending, expected) in [(false, up), (true, down)] {
            let query = Query { filter: filter.clone(), ..sorted("v", descending) };
            assert_eq!(listed(world, &alice, &query).await, expected, "{query:?}");
            for limit in [1, 2, 4] {
                let (mut page, mut seen) = (Query { limit, ..query.clone() }, Vec::new());
                loop {
                    let rows = rows(world, &alice, &page).await.expect("lists");
                    let Some(last) = rows.last() else { break };
                    page.after = Some(page.place_of(last));
                    seen.extend(rows.iter().map(|row| row.id.clone()));
                }
                assert_eq!(seen, expected, "{page:?}");
            }
            for offset in 0..10_u32 {
                let page = Query { offset, limit: 2, ..query.clone() };
                let wanted: Vec<&str> = expected.into_iter().skip(offset as usize).take(2).collect();
                assert_eq!(listed(world, &alice, &page).await, wanted, "{page:?}");
            }
        }
    }
}

/// Ids go up and down, also by their last place; so do times of insertion.
pub async fn ids_order_both_ways(world: &World) {
    use crate::Order;
    let alice = world.participant("alice");
    for id in ["b", "a", "d", "c"] {
        insert(world, &alice, &Record::new(id, json!({"v": 1}))).await;
        world.clock.advance(std::time::Duration::from_secs(1));
    }
    for filter in [Filter::default(), read("v", "=", &json!(1)), read("v", "in", &json!([1, 2]))] {
        for (order, expected) in [
            (Order::Id, ["a", "b", "c", "d"]),
            (Order::IdDescending, ["d", "c", "b", "a"]),
            (Order::CreatedAscending, ["b", "a", "d", "c"]),
            (Order::CreatedDescending, ["c", "d", "a", "b"]),
        ] {
            let mut page = Query { order, limit: 3, ..having(filter.clone()) };
            assert_eq!(listed(world, &alice, &page).await, expected[..3], "{page:?}");
            let first = rows(world, &alice, &page).await.expect("lists");
            page.after = first.last().map(|last| page.place_of(last));
            assert_eq!(listed(world, &alice, &page).await, expected[3..], "{page:?}");
        }
    }
}

/// Of several values one may be above the lower bound and another below the upper; it must not be none.
pub async fn ranges_hold_for_any_of_several_values(world: &World) {
    let alice = world.participant("alice");
    let values =
        [json!(10), json!(9), json!(11), json!([1, 20]), json!([11, 20]), json!([1, 9]), json!([10])];
    for (index, value) in values.into_iter().enumerate() {
        insert(world, &alice, &Record::new(&format!("r{index}"), json!({"v": value}))).await;
    }
    let range = Filter::All(vec![read("v", ">=", &json!(10)), read("v", "<", &json!(11))]);
    assert_eq!(listed(world, &alice, &having(range)).await, ["r0", "r3", "r6"]);
}

/// Texts that the index holds only the beginning of.
pub async fn long_texts_are_compared_whole(world: &World) {
    let alice = world.participant("alice");
    let long = |end: &str| format!("{}{end}", "ä".repeat(KEY_BYTES));
    for (id, end) in [("a", "a"), ("b", "b"), ("c", "")] {
        insert(world, &alice, &Record::new(id, json!({"v": long(end)}))).await;
    }
    insert(world, &alice, &Record::new("k", json!({"v": "ä".repeat(KEY_BYTES / 2)}))).await;
    for (operator, operand, expected) in [
        ("=", json!(long("a")), vec!["a"]),
        ("=", json!("ä".repeat(KEY_BYTES / 2)), vec!["k"]),
        ("!=", json!(long("a")), vec!["b", "c", "k"]),
        ("in", json!([long("b"), "x"]), vec!["b"]),
        ("<", json!(long("b")), vec!["a", "c", "k"]),
        ("<=", json!(long("a")), vec!["a", "c", "k"]),
        (">", json!("ä".repeat(KEY_BYTES / 2)), vec!["a", "b", "c"]),
        (">=", json!(long("a")), vec!["a", "b"]),
        ("like", json!("ä%b"), vec!["b"]),
        ("like", json!(format!("{}%", long("a"))), vec!["a"]),
        ("ilike", json!("Ä%B"), vec!["b"]),
        ("contains", json!("äb"), vec!["b"]),
    ] {
        let found = listed(world, &alice, &having(read("v", operator, &operand))).await;
        assert_eq!(found, expected, "{operator}");
    }
}

/// A change of a document changes what it is found by, in the same commit; what was deleted is found by nothing.
pub async fn properties_follow_their_document(world: &World) {
    let alice = world.participant("alice");
    insert(world, &alice, &Record::new("a", json!({"v": 1, "gone": "x", "list": [1, 2, 3]}))).await;
    let found =
        async |path: &str, value: Value| listed(world, &alice, &having(read(path, "=", &value))).await;
    assert_eq!(found("gone", json!("x")).await, ["a"]);
    let mut transaction = world.store.begin(&alice);
    let loaded = transaction.load::<Record>("a").await.expect("reads").expect("is there");
    transaction.save(&loaded, &Record::new("a", json!({"v": 2, "list": [3]})));
    transaction.commit().await.expect("commits");
    for (path, value) in [("v", json!(1)), ("gone", json!("x")), ("list", json!(1))] {
        assert!(found(path, value.clone()).await.is_empty(), "{path} {value}");
    }
    assert_eq!(found("v", json!(2)).await, ["a"]);
    assert_eq!(found("list", json!(3)).await, ["a"]);
    // A commit that fails changes nothing.
    let mut stale = world.store.begin(&alice);
    stale.save(&loaded, &Record::new("a", json!({"v": 3})));
    super::assert_stale(stale.commit().await);
    assert!(found("v", json!(3)).await.is_empty());
    let mut transaction = world.store.begin(&alice);
    let loaded = transaction.load::<Record>("a").await.expect("reads").expect("is there");
    transaction.delete(&loaded);
    transaction.commit().await.expect("commits");
    assert!(found("v", json!(2)).await.is_empty());
    insert(world, &alice, &Record::new("a", json!({"w": 2}))).await;
    assert!(found("v", json!(2)).await.is_empty(), "another document of this id has nothing of the first");
}

/// Nobody finds what is another's, and a peer nothing that names another peer.
pub async fn filters_are_per_owner_and_per_peer(world: &World) {
    let (alice, bob) = (world.participant("alice"), world.participant("bob"));
    let one = |id: &str, peer: Option<&str>| Record {
        counter_party: peer.map(str::to_owned),
        ..Record::new(id, json!({"v": 1}))
    };
    insert(world, &bob, &one("bobs", None)).await;
    insert(world, &alice, &one("mine", None)).await;
    insert(world, &alice, &one("of-p", Some("did:web:p"))).await;
    insert(world, &alice, &one("of-q", Some("did:web:q"))).await;
    let peer = world.peer("alice", "did:web:p");
    for query in [
        having(read("v", "=", &json!(1))),
        having(read("v", ">=", &json!(1))),
        having(read("v", "contains", &json!(1))),
        having(Filter::All(vec![read("v", "=", &json!(1)), read("v", "<", &json!(2))])),
        Query { sort: Some(Sort { path: "v".to_owned(), descending: false }), ..Query::default() },
        Query { filter: read("v", "<", &json!(2)), ..sorted("v", false) },
        sorted("nothing", false),
    ] {
        assert_eq!(listed(world, &alice, &query).await, ["mine", "of-p", "of-q"], "{query:?}");
        assert_eq!(listed(world, &bob, &query).await, ["bobs"], "{query:?}");
        assert_eq!(listed(world, &peer, &query).await, ["mine", "of-p"], "{query:?}");
    }
    // A document that comes to name another peer is no longer found by the first.
    let mut transaction = world.store.begin(&alice);
    let loaded = transaction.load::<Record>("of-p").await.expect("reads").expect("is there");
    transaction.save(&loaded, &one("of-p", Some("did:web:q")));
    transaction.commit().await.expect("commits");
    assert_eq!(listed(world, &peer, &having(read("v", "=", &json!(1)))).await, ["mine"]);
}

/// Conditions on promoted columns hold together with those on properties, whichever way the list goes.
pub async fn promoted_columns_and_properties_narrow_together(world: &World) {
    let alice = world.participant("alice");
    for (id, state, value) in [("a", "OPEN", 1), ("b", "SHUT", 1), ("c", "OPEN", 2)] {
        let record = Record { state: Some(state.to_owned()), ..Record::new(id, json!({"v": value})) };
        insert(world, &alice, &record).await;
    }
    for filter in [
        read("v", "=", &json!(1)),
        read("v", "<", &json!(2)),
        read("v", "!=", &json!(2)),
        Filter::Any(vec![read("v", "=", &json!(1)), read("v", ">", &json!(2))]),
    ] {
        for base in [Query::default(), sorted("v", true)] {
            let query = Query { filter: filter.clone(), states: vec!["OPEN".into()], ..base };
            assert_eq!(listed(world, &alice, &query).await, ["a"], "{query:?}");
        }
    }
}

/// Texts that mean something to a database mean nothing in a filter.
pub async fn hostile_texts_are_texts(world: &World) {
    let alice = world.participant("alice");
    let texts =
        ["' OR 1 = 1 --", "%", "_", "*", "?", "[a]", "\\", "a\u{0}b", "😀", "\u{fffd}", "$1", "?1", ""];
    for (index, text) in texts.into_iter().enumerate() {
        insert(world, &alice, &Record::new(&format!("r{index:02}"), json!({"v": text, text: 1}))).await;
    }
    for (index, text) in texts.into_iter().enumerate() {
        let found = listed(world, &alice, &having(read("v", "=", &json!(text)))).await;
        assert_eq!(found, [format!("r{index:02}")], "{text:?}");
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let found = listed(world, &alice, &having(read("v", "like", &json!(escaped)))).await;
        assert_eq!(found, [format!("r{index:02}")], "like {text:?}");
        if !text.is_empty() && !text.contains('\0') {
            let found = listed(world, &alice, &having(read(text, "=", &json!(1)))).await;
            assert_eq!(found, [format!("r{index:02}")], "path {text:?}");
            let found = listed(world, &alice, &sorted(text, false)).await;
            assert_eq!(found[0], format!("r{index:02}"), "sorted by {text:?}");
        }
    }
}
