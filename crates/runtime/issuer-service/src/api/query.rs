//! Queries (QuerySpec): which resources, in which order, which page.
//!
//! A query without conditions and without a field to sort by is answered by the database. All others look at the
//! issuer's rows one batch at a time, and compare what is shown.

use std::cmp::Ordering;

use heddle_store::{
    Aggregate, Order, Query, Transaction,
    filter::{Condition, Filter, FilterError, Properties, condition, path_of},
};
use heddle_web::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most resources of one answer.
const LIMIT_MAX: u32 = 1_000;
/// Most conditions of one query.
const CRITERIA_MAX: usize = 32;
/// Rows that are looked at in one go.
const BATCH_ROWS: u32 = 1_000;

/// A query as a client writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct QuerySpec {
    offset: u32,
    limit: u32,
    sort_field: Option<String>,
    sort_order: SortOrder,
    filter_expression: Vec<Criterion>,
}

impl Default for QuerySpec {
    fn default() -> Self {
        Self {
            offset: 0,
            limit: 50,
            sort_field: None,
            sort_order: SortOrder::Asc,
            filter_expression: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum SortOrder {
    Asc,
    Desc,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Criterion {
    operand_left: String,
    operator: String,
    #[serde(default)]
    operand_right: Value,
}

impl Criterion {
    /// The condition on what is shown.
    fn filter(&self) -> Result<Filter, FilterError> {
        let (path, operator, operand) = (&self.operand_left, &self.operator, &self.operand_right);
        condition(&Condition { path: &path_of(path, ""), operator, operand })
    }
}

/// The resources of the transaction's owner that `spec` asks for, as `present` shows them.
pub(super) async fn select<A: Aggregate, R: Serialize>(
    transaction: &mut Transaction<'_>,
    spec: &QuerySpec,
    present: impl Fn(&A) -> R,
) -> Result<Vec<Value>, Rejection> {
    let filter = check(spec)?;
    let limit = spec.limit.min(LIMIT_MAX);
    let order = match (&spec.sort_field, spec.sort_order) {
        (None, SortOrder::Desc) => Order::CreatedDescending,
        _ => Order::CreatedAscending,
    };
    let show = |row: &A| serde_json::to_value(present(row)).map_err(|error| Rejection::internal(&error));
    if spec.filter_expression.is_empty() && spec.sort_field.is_none() {
        let query = Query { order, offset: spec.offset, limit, ..Query::default() };
        return transaction.list::<A>(&query).await?.iter().map(|row| show(row)).collect();
    }
    let (mut found, mut offset) = (Vec::new(), 0);
    loop {
        let query = Query { order, offset, limit: BATCH_ROWS, ..Query::default() };
        let rows = transaction.list::<A>(&query).await?;
        for row in &rows {
            let resource = show(row)?;
            if filter.matches(Properties::default().with("", &resource).rows()) {
                found.push(resource);
            }
        }
        if rows.len() < BATCH_ROWS as usize {
            break;
        }
        offset += BATCH_ROWS;
    }
    if let Some(field) = &spec.sort_field {
        found.sort_by(|a, b| {
            let ordering = by_value(at(a, field), at(b, field));
            if spec.sort_order == SortOrder::Desc { ordering.reverse() } else { ordering }
        });
    }
    Ok(found.into_iter().skip(spec.offset as usize).take(limit as usize).collect())
}

/// The conditions, if the query can be answered.
fn check(spec: &QuerySpec) -> Result<Filter, Rejection> {
    if spec.limit == 0 {
        return Err(Rejection::invalid("/limit", "expected at least 1"));
    }
    if spec.filter_expression.len() > CRITERIA_MAX {
        return Err(Rejection::invalid(
            "/filterExpression",
            format!("expected at most {CRITERIA_MAX} conditions"),
        ));
    }
    let read = |(index, criterion): (usize, &Criterion)| {
        criterion.filter().map_err(|error| {
            let pointer = format!("/filterExpression/{index}/{}", error.member());
            Rejection::invalid(pointer, error.to_string())
        })
    };
    spec.filter_expression.iter().enumerate().map(read).collect::<Result<_, _>>().map(Filter::All)
}

/// What a dotted path leads to.
fn at<'a>(resource: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(resource, |value, segment| value.get(segment)).filter(|value| !value.is_null())
}

/// Numbers by size, texts by letter; what is absent comes last.
fn by_value(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.to_string().cmp(&b.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_compare_what_is_shown() {
        let holds = |operator: &str, right: Value| {
            let criterion = json!({"operandLeft": "a.b", "operator": operator, "operandRight": right});
            let criterion: Criterion = serde_json::from_value(criterion).expect("a criterion");
            let shown = Properties::default().with("", &json!({"a": {"b": "x"}}));
            criterion.filter().is_ok_and(|filter| filter.matches(shown.rows()))
        };
        assert!(holds("=", json!("x")) && !holds("=", json!("y")));
        assert!(holds("!=", json!("y")) && !holds("!=", json!("x")));
        assert!(holds("in", json!(["x", "y"])) && !holds("in", json!(["y"])) && !holds("in", json!("x")));
        assert!(holds("like", json!("_")) && holds("<", json!("y")) && holds("not in", json!(["y"])));
    }

    #[test]
    fn queries_that_cannot_be_answered_are_refused() {
        let check = |spec: Value| check(&serde_json::from_value(spec).expect("a query"));
        assert!(check(json!({})).is_ok());
        assert!(check(json!({"limit": 0})).is_err());
        let condition = json!([{"operandLeft": "a", "operator": "~", "operandRight": 1}]);
        assert!(check(json!({"filterExpression": condition})).is_err());
    }
}
