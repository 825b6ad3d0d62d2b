//! Queries (Management API `QuerySpec`): which rows of a participant, in which order, which page.
//!
//! A query without conditions and without a field to sort by is answered by the database. All others look at the
//! participant's rows one batch at a time.

mod spec;

use std::cmp::Ordering;

use heddle_store::{Aggregate, LIST_ROWS_MAX, Loaded, Order, Query, StoreError, Transaction};
use heddle_web::Rejection;
use serde_json::Value;

use crate::model::{Criterion, EDC_NAMESPACE};

pub(super) use spec::{QuerySpec, SortOrder};

/// Most conditions of one query.
const CRITERIA_MAX: usize = 64;
/// Rows that are looked at in one go.
const BATCH_ROWS: u32 = 1000;

/// What can be asked for.
pub(super) trait Queryable: Aggregate {
    /// Paths that have a meaning; one that ends in `.` stands for all that begin so. None at all: any path has.
    const PATHS: &'static [&'static str];

    /// What a path leads to.
    fn at(&self, path: &str) -> Option<Value>;
}

/// The rows of the transaction's owner that `spec` asks for.
pub(super) async fn select<A: Queryable>(
    transaction: &mut Transaction<'_>,
    spec: &QuerySpec,
) -> Result<Vec<A>, Rejection> {
    check::<A>(spec)?;
    let (offset, limit) = (spec.offset, spec.limit.min(LIST_ROWS_MAX));
    let order = match (&spec.sort_field, spec.sort_order) {
        (None, SortOrder::Desc) => Order::CreatedDescending,
        _ => Order::CreatedAscending,
    };
    if spec.filter_expression.is_empty() && spec.sort_field.is_none() {
        let query = Query { order, offset, limit, ..Query::default() };
        let rows = transaction.list::<A>(&query).await?;
        return Ok(rows.into_iter().map(Loaded::into_value).collect());
    }
    // Without a field to sort by, whoever comes first is on the page, and the rest need not be looked at.
    let enough = spec.sort_field.is_none().then_some(offset as usize + limit as usize);
    let mut found = matching::<A>(transaction, spec, order, enough).await?;
    if let Some(field) = &spec.sort_field {
        let field = path_of::<A>(field);
        found.sort_by(|a, b| {
            let ordering = by_value(a.at(&field).as_ref(), b.at(&field).as_ref());
            if spec.sort_order == SortOrder::Desc { ordering.reverse() } else { ordering }
        });
    }
    Ok(found.into_iter().skip(offset as usize).take(limit as usize).collect())
}

async fn matching<A: Queryable>(
    transaction: &mut Transaction<'_>,
    spec: &QuerySpec,
    order: Order,
    enough: Option<usize>,
) -> Result<Vec<A>, StoreError> {
    let mut found = Vec::new();
    let mut offset = 0;
    loop {
        let query = Query { order, offset, limit: BATCH_ROWS, ..Query::default() };
        let rows = transaction.list::<A>(&query).await?;
        let last = rows.len() < BATCH_ROWS as usize;
        let holds =
            |row: &A| spec.filter_expression.iter().all(|one| one.holds(|path| row.at(&path_of::<A>(path))));
        found.extend(rows.into_iter().map(Loaded::into_value).filter(holds));
        if last || enough.is_some_and(|enough| found.len() >= enough) {
            return Ok(found);
        }
        offset += BATCH_ROWS;
    }
}

/// Whether the operators and the paths exist.
fn check<A: Queryable>(spec: &QuerySpec) -> Result<(), Rejection> {
    if spec.limit == 0 {
        return Err(Rejection::invalid("/limit", "the limit must be at least 1"));
    }
    check_criteria("/filterExpression", &spec.filter_expression)?;
    let known = |path: &str| {
        let fits = |known: &str| known == path || (known.ends_with('.') && path.starts_with(known));
        A::PATHS.is_empty() || A::PATHS.iter().any(|known| fits(known))
    };
    for (index, criterion) in spec.filter_expression.iter().enumerate() {
        if !known(&path_of::<A>(&criterion.operand_left)) {
            let pointer = format!("/filterExpression/{index}/operandLeft");
            return Err(Rejection::invalid(pointer, unknown(&criterion.operand_left, A::PATHS)));
        }
    }
    match &spec.sort_field {
        Some(field) if !known(&path_of::<A>(field)) => {
            Err(Rejection::invalid("/sortField", unknown(field, A::PATHS)))
        }
        _ => Ok(()),
    }
}

fn unknown(path: &str, known: &[&str]) -> String {
    format!("Error validating schema: there is no property '{path}'; there are {}", known.join(", "))
}

/// Whether there are not too many conditions, each with an operator that exists.
pub(super) fn check_criteria(pointer: &str, criteria: &[Criterion]) -> Result<(), Rejection> {
    if criteria.len() > CRITERIA_MAX {
        return Err(Rejection::invalid(pointer, format!("at most {CRITERIA_MAX} conditions are allowed")));
    }
    let unknown = criteria.iter().position(|criterion| !criterion.is_known());
    match unknown {
        Some(index) => {
            let operator = &criteria[index].operator;
            let message = format!(
                "'{operator}' is not an operator; the operators are {}",
                Criterion::OPERATORS.join(", ")
            );
            Err(Rejection::invalid(format!("{pointer}/{index}/operator"), message))
        }
        None => Ok(()),
    }
}

/// The path as [`Queryable::at`] takes it. Where any path has a meaning, quotes have one too.
fn path_of<A: Queryable>(path: &str) -> String {
    if A::PATHS.is_empty() { path.to_owned() } else { plain(path) }
}

/// A path without the connector's namespace and without quotes.
fn plain(path: &str) -> String {
    path.replace(EDC_NAMESPACE, "").replace('\'', "")
}

/// Numbers by size, texts by letter; what is absent comes last.
fn by_value(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => text(a).cmp(&text(b)),
        },
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_sort_before_their_texts_would() {
        assert_eq!(by_value(Some(&json!(9)), Some(&json!(10))), Ordering::Less);
        assert_eq!(by_value(Some(&json!("9")), Some(&json!("10"))), Ordering::Greater);
        assert_eq!(by_value(None, Some(&json!("a"))), Ordering::Greater);
    }

    #[test]
    fn paths_lose_their_namespace_and_quotes() {
        assert_eq!(plain("'https://w3id.org/edc/v0.0.1/ns/id'"), "id");
        assert_eq!(plain("privateProperties.'https://x.example/a'"), "privateProperties.https://x.example/a");
    }
}
