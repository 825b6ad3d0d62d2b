//! Lists of the rows of one value, or of a few, in the order of their ids: the index has the rows of each value in this
//! order, so that a page is read and hardly more.

use heddle_store::{
    LIST_ROWS_MAX, Order,
    filter::{Filter, Test},
};

use super::{Driver, List, and_page, begin_documents, end_documents};
use crate::statement::{Statement, Value};

/// Most values whose rows are read side by side.
const VALUES_MAX: usize = 16;

/// A path and the test for one value.
pub(super) type OneValue<'q> = (&'q str, Test);

/// The single values that together find what `filter` does, if they are few.
pub(super) fn values(filter: &Filter) -> Option<Vec<OneValue<'_>>> {
    let mut all = Vec::new();
    (collect(filter, &mut all) && !all.is_empty()).then_some(all)
}

fn collect<'q>(filter: &'q Filter, all: &mut Vec<OneValue<'q>>) -> bool {
    let fits = match filter {
        Filter::Path(path, Test::Equal(one)) => {
            all.push((path, Test::Equal(one.clone())));
            true
        }
        Filter::Path(path, Test::In(list)) if list.len() <= VALUES_MAX => {
            all.extend(list.iter().map(|one| (path.as_str(), Test::Equal(one.clone()))));
            true
        }
        Filter::Any(parts) => !parts.is_empty() && parts.iter().all(|part| collect(part, all)),
        Filter::All(parts) => parts.len() == 1 && parts.iter().all(|part| collect(part, all)),
        Filter::Path(..) => false,
    };
    fits && all.len() <= VALUES_MAX
}

impl List<'_> {
    /// The rows of some values, in the order of their ids; the other conditions are probed as they come.
    pub(super) fn stream(&self, driver: &Driver<'_>, values: &[OneValue<'_>]) -> Statement {
        let mut select = self.select();
        let descending = self.query.order == Order::IdDescending;
        let (direction, than) = if descending { (" DESC", '<') } else { ("", '>') };
        // Of each value as many as the page could need.
        let needed = i64::from(self.query.limit.min(LIST_ROWS_MAX)) + i64::from(self.query.offset);
        let needed = select.statement.place(Value::Integer(needed));
        let after = self.query.after.as_ref().map(|after| select.statement.text(&after.id));
        let mut parts = Vec::with_capacity(values.len());
        for (at, (path, test)) in values.iter().enumerate() {
            let (row, part) = (format!("v{at}"), format!("s{at}"));
            let passing = select.passing(&row, path, test);
            let promoted = select.promoted_of(&format!("{row}.id"));
            let probes = self.probes(&mut select, &format!("{row}.id"), Some(driver));
            let beyond = after.as_ref().map_or(String::new(), |id| format!(" AND {row}.id {than} {id}"));
            // Values that differ and have the same text, such as 1 and "1" in a list, are rows of their own.
            parts.push(format!(
                "SELECT {part}.id FROM (SELECT DISTINCT {row}.id {passing}{promoted}{probes}{beyond} \
                 ORDER BY {row}.id{direction} LIMIT {needed}) {part}"
            ));
        }
        begin_documents(&mut select, "DISTINCT d.id");
        select.statement.push(&format!("FROM ({}) d ORDER BY d.id{direction}", parts.join(" UNION ALL ")));
        and_page(
            &mut select,
            Value::Integer(i64::from(self.query.limit.min(LIST_ROWS_MAX))),
            self.query.offset,
        );
        end_documents(&mut select, &format!("x.id{direction}"));
        select.statement
    }
}
