//! The forms that filters have, over the documents of [`super::seed`], for tests of plans and for measurements.

use heddle_tenancy::Scope;
use serde_json::{Value, json};

use super::seed::Record;
use crate::{
    Query, Sort, Store, StoreError,
    filter::{Condition, Filter, condition},
};

/// One form.
#[derive(Debug)]
pub struct Shape {
    /// What it is called.
    pub name: &'static str,
    /// The query: a page of fifty.
    pub query: Query,
    /// How many of 100,000 documents it has.
    pub rows: u64,
}

fn is(path: &str, operator: &str, operand: &Value) -> Filter {
    condition(&Condition { path, operator, operand }).expect("a condition")
}

fn shape(name: &'static str, filter: Filter, rows: u64) -> Shape {
    Shape { name, query: Query { filter, limit: 50, ..Query::default() }, rows }
}

fn sorted(shape: Shape, path: &str, descending: bool) -> Shape {
    let sort = Some(Sort { path: path.to_owned(), descending });
    Shape { query: Query { sort, ..shape.query }, ..shape }
}

/// Those that an index answers.
#[must_use]
pub fn indexed() -> Vec<Shape> {
    let name = |number: u32| Record::numbered(number).body["name"].clone();
    let kind = || is("kind", "=", &json!("kind-07"));
    let all = Filter::default;
    vec![
        shape("= of a name", is("name", "=", &name(4_242)), 1),
        shape("= of a kind", kind(), 1_000),
        shape("= of half of all", is("public", "=", &json!(true)), 50_000),
        shape("= of an element of a list", is("tags", "=", &json!("tag-8")), 9_091),
        shape("= of something nested", is("place.city", "=", &json!("city 77")), 200),
        shape("in of names", is("name", "in", &json!([name(1), name(50_000), name(99_999), "none"])), 3),
        shape("in of kinds", is("kind", "in", &json!(["kind-01", "kind-02", "kind-03"])), 3_000),
        shape("< of a price", is("price", "<", &json!(1)), 400),
        shape(
            "range of prices",
            Filter::All(vec![is("price", ">=", &json!(10)), is("price", "<", &json!(11))]),
            400,
        ),
        shape("> of most prices", is("price", ">", &json!(25)), 89_900),
        shape("<= of names", is("name", "<=", &json!("asset 0009999")), 1_000),
        shape("prefix", is("name", "like", &json!("asset 0001%")), 100),
        shape("prefix and wildcards", is("name", "like", &json!("asset 00_1%")), 1_000),
        shape("two of =", Filter::All(vec![kind(), is("public", "=", &json!(false))]), 1_000),
        shape("= and >", Filter::All(vec![kind(), is("price", ">", &json!(125))]), 497),
        shape(
            "= and contains",
            Filter::All(vec![kind(), is("description", "contains", &json!("ipsum"))]),
            1_000,
        ),
        shape("either of =", Filter::Any(vec![kind(), is("name", "=", &name(3))]), 1_001),
        sorted(shape("sort by name", all(), 100_000), "name", false),
        sorted(shape("sort by price, descending", all(), 100_000), "price", true),
        sorted(shape("sort by name of a kind", kind(), 1_000), "name", true),
        sorted(
            shape("sort by price of half of all", is("public", "=", &json!(true)), 50_000),
            "price",
            false,
        ),
        sorted(
            shape("sort by name of a prefix", is("name", "like", &json!("asset 0001%")), 100),
            "name",
            false,
        ),
    ]
}

/// Those that look at one document after the other.
#[must_use]
pub fn scans() -> Vec<Shape> {
    vec![
        shape("contains", is("description", "contains", &json!("no such text")), 0),
        shape("leading wildcard", is("name", "like", &json!("%4242x")), 0),
        shape("ilike", is("name", "ilike", &json!("ASSET 0001%x")), 0),
        shape(
            "!=",
            Filter::All(vec![is("public", "!=", &json!(true)), is("public", "!=", &json!(false))]),
            0,
        ),
        shape("not in", is("public", "not in", &json!([true, false])), 0),
    ]
}

/// The page of a shape that begins in its middle, by the last place of the one before.
///
/// # Errors
/// As for lists.
pub async fn second_page(store: &Store, scope: &dyn Scope, shape: &Shape) -> Result<Query, StoreError> {
    let first = store.begin(scope).list::<Record>(&shape.query).await?;
    let after = first.last().map(|last| shape.query.place_of(last));
    Ok(Query { after, ..shape.query.clone() })
}
