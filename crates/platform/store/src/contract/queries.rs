//! Lists by promoted columns.

use std::time::Duration;

use heddle_tenancy::ParticipantScope;

use super::{Thing, World, ids};
use crate::{Order, Query};

async fn listed(world: &World, scope: &ParticipantScope, query: Query) -> Vec<String> {
    ids(&world.store.begin(scope).list::<Thing>(&query).await.expect("lists"))
}

/// Every condition narrows; several hold together; an empty query is everything.
pub async fn lists_by_promoted_columns(world: &World) {
    let alice = world.participant("alice");
    let (now, text) = (world.now(), |s: &str| Some(s.to_owned()));
    let soon = now + Duration::from_secs(5);
    let things = [
        Thing { state: text("OPEN"), correlation: text("c1"), due_at: Some(now), ..Thing::new("a", "") },
        Thing { state: text("OPEN"), counter_party: text("p1"), due_at: Some(soon), ..Thing::new("b", "") },
        Thing {
            state: text("SHUT"),
            counter_party: text("p1"),
            reference: text("r1"),
            ..Thing::new("c", "")
        },
        Thing::new("d", ""),
    ];
    for thing in &things {
        world.insert(&alice, thing).await;
    }
    let all = Query::default();
    let cases: Vec<(Query, &[&str])> = vec![
        (all.clone(), &["a", "b", "c", "d"]),
        (Query { states: vec!["OPEN".into()], ..all.clone() }, &["a", "b"]),
        (Query { states: vec!["OPEN".into(), "SHUT".into()], ..all.clone() }, &["a", "b", "c"]),
        (Query { states: vec!["GONE".into()], ..all.clone() }, &[]),
        (Query { counter_party: text("p1"), ..all.clone() }, &["b", "c"]),
        (Query { counter_party: text("p1"), states: vec!["SHUT".into()], ..all.clone() }, &["c"]),
        (Query { correlation: text("c1"), ..all.clone() }, &["a"]),
        (Query { reference: text("r1"), ..all.clone() }, &["c"]),
        (Query { due_until: Some(now), ..all.clone() }, &["a"]),
        (Query { due_until: Some(soon), ..all.clone() }, &["a", "b"]),
    ];
    for (query, expected) in cases {
        assert_eq!(listed(world, &alice, query.clone()).await, expected, "{query:?}");
        let count = world.store.begin(&alice).count::<Thing>(&query).await.expect("counts");
        assert_eq!(count, expected.len() as u64, "{query:?}");
    }
}

/// Orders are total, and pages do not overlap.
pub async fn lists_in_order_and_in_pages(world: &World) {
    let alice = world.participant("alice");
    for id in ["c", "a"] {
        world.insert(&alice, &Thing::new(id, "")).await;
    }
    world.clock.advance(Duration::from_secs(1));
    for id in ["b", "d"] {
        world.insert(&alice, &Thing::new(id, "")).await;
    }
    let page = |order, offset, limit| Query { order, offset, limit, ..Query::default() };
    assert_eq!(listed(world, &alice, page(Order::Id, 0, 9)).await, ["a", "b", "c", "d"]);
    assert_eq!(listed(world, &alice, page(Order::CreatedAscending, 0, 9)).await, ["a", "c", "b", "d"]);
    assert_eq!(listed(world, &alice, page(Order::CreatedDescending, 0, 9)).await, ["d", "b", "c", "a"]);
    assert_eq!(listed(world, &alice, page(Order::Id, 1, 2)).await, ["b", "c"]);
    assert_eq!(listed(world, &alice, page(Order::Id, 3, 2)).await, ["d"]);
    assert!(listed(world, &alice, page(Order::Id, 0, 0)).await.is_empty());
}

/// A count is of all that fits.
pub async fn counts_ignore_the_page(world: &World) {
    let alice = world.participant("alice");
    for id in ["a", "b", "c"] {
        world.insert(&alice, &Thing::new(id, "")).await;
    }
    let query = Query { offset: 2, limit: 1, ..Query::default() };
    assert_eq!(world.store.begin(&alice).count::<Thing>(&query).await.expect("counts"), 3);
}
