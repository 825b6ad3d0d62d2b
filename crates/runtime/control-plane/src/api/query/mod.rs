//! Queries (Management API `QuerySpec`): which rows of a participant, in which order, which page.
//!
//! The database answers all of it, by the properties of the rows ([`heddle_store::filter`]). Without a field to sort by,
//! rows come in the order in which they were made, or, with conditions, in the order of their ids; with one, numbers come
//! first, then texts, then the rows that have nothing there.

mod spec;

use heddle_store::{
    Aggregate, LIST_ROWS_MAX, Loaded, Order, Query, Sort, Transaction,
    filter::{Filter, TESTS_MAX, path_of},
};
use heddle_web::Rejection;

use crate::model::{Asset, Criterion, EDC_NAMESPACE};

pub(super) use spec::{QuerySpec, SortOrder};

/// What can be asked for.
pub(super) trait Queryable: Aggregate {
    /// Paths that have a meaning; one that ends in `.` stands for all that begin so. None at all: any path has.
    const PATHS: &'static [&'static str];
}

/// The rows of the transaction's owner that `spec` asks for.
pub(super) async fn select<A: Queryable>(
    transaction: &mut Transaction<'_>,
    spec: &QuerySpec,
) -> Result<Vec<A>, Rejection> {
    let rows = transaction.list::<A>(&query_of::<A>(spec)?).await?;
    Ok(rows.into_iter().map(Loaded::into_value).collect())
}

fn query_of<A: Queryable>(spec: &QuerySpec) -> Result<Query, Rejection> {
    if spec.limit == 0 {
        return Err(Rejection::invalid("/limit", "the limit must be at least 1"));
    }
    let filter = conditions("/filterExpression", &spec.filter_expression, &path::<A>)?;
    let descending = spec.sort_order == SortOrder::Desc;
    let sort = match &spec.sort_field {
        Some(field) => {
            let path = path::<A>(field).map_err(|why| Rejection::invalid("/sortField", why))?;
            Some(Sort { path, descending })
        }
        None => None,
    };
    let order = match (filter.is_everything(), descending) {
        (true, false) => Order::CreatedAscending,
        (true, true) => Order::CreatedDescending,
        (false, false) => Order::Id,
        (false, true) => Order::IdDescending,
    };
    let (offset, limit) = (spec.offset, spec.limit.min(LIST_ROWS_MAX));
    Ok(Query { filter, sort, order, offset, limit, ..Query::default() })
}

/// The path as properties have it, or why it has no meaning.
fn path<A: Queryable>(written: &str) -> Result<String, String> {
    if A::PATHS.is_empty() {
        let first = written.chars().next();
        return match first {
            Some(first) if first.is_alphabetic() || "_'@".contains(first) => Ok(Asset::path(written)),
            _ => Err(format!(
                "Error validating schema: '{written}' is no path; a path begins with a letter, '_' or a quote"
            )),
        };
    }
    let path = path_of(written, EDC_NAMESPACE);
    let fits = |known: &str| path == known || (known.ends_with('.') && path.starts_with(known));
    if A::PATHS.iter().any(|known| fits(known)) {
        return Ok(path);
    }
    let known = A::PATHS.join(", ");
    Err(format!("Error validating schema: there is no property '{written}'; there are {known}"))
}

/// The filter that holds when all criteria do; `path` gives a criterion's path as properties have it.
pub(super) fn conditions(
    pointer: &str,
    criteria: &[Criterion],
    path: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Filter, Rejection> {
    if criteria.len() > TESTS_MAX {
        return Err(Rejection::invalid(pointer, format!("at most {TESTS_MAX} conditions are allowed")));
    }
    let read = |(index, criterion): (usize, &Criterion)| {
        let at = |member: &str| format!("{pointer}/{index}/{member}");
        let path = path(&criterion.operand_left).map_err(|why| Rejection::invalid(at("operandLeft"), why))?;
        criterion.filter_at(&path).map_err(|error| Rejection::invalid(at(error.member()), error.to_string()))
    };
    criteria.iter().enumerate().map(read).collect::<Result<_, _>>().map(Filter::All)
}
