//! Lists in the order of a property: numbers, texts, and the rows that have nothing there.

use heddle_store::{
    Cursor, CursorKey, Order, Query, Row, Sort, StoreError,
    filter::{Filter, Scalar, Test},
};

use super::{List, Runner, and_page, begin_documents, end_documents};
use crate::{
    select::Select,
    statement::{Statement, Value},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Numbers,
    Texts,
    Without,
}

impl Part {
    fn of(key: &CursorKey) -> Self {
        match key {
            CursorKey::Value(Some(value)) if value.number().is_some() => Self::Numbers,
            CursorKey::Value(Some(_)) => Self::Texts,
            _ => Self::Without,
        }
    }
}

impl List<'_> {
    /// In the order of a property, part after part, until the page is full.
    pub(super) async fn sorted(
        &self,
        runner: &mut dyn Runner,
        sort: &Sort,
        (mut offset, limit): (u32, u32),
    ) -> Result<Vec<Row>, StoreError> {
        let mut found: Vec<Row> = Vec::new();
        // In either direction: to know that there are no texts, all numbers would have to be looked at.
        let parts = [Part::Numbers, Part::Texts, Part::Without];
        let begun = self.query.after.as_ref().map(|after| Part::of(&after.key));
        let begin = parts.iter().position(|part| begun == Some(*part)).unwrap_or(0);
        for part in &parts[begin..] {
            let missing = limit - u32::try_from(found.len()).unwrap_or(limit);
            let after = self.query.after.as_ref().filter(|_| begun == Some(*part));
            let statement = self.part(*part, sort, after, Some((missing, offset)));
            let rows = runner.rows(statement).await?;
            if rows.is_empty() && offset > 0 {
                // All of this part is before the page.
                let size = runner.number(self.part(*part, sort, after, None)).await?;
                offset = offset.saturating_sub(u32::try_from(size).unwrap_or(u32::MAX));
            } else if !rows.is_empty() {
                offset = 0;
            }
            found.extend(rows);
            if found.len() >= limit as usize {
                break;
            }
        }
        Ok(found)
    }

    /// One part of a sorted list: a page of it, or how many rows it has.
    fn part(&self, part: Part, sort: &Sort, after: Option<&Cursor>, page: Option<(u32, u32)>) -> Statement {
        let mut select = self.select();
        let (from, column) = match part {
            Part::Without => {
                let nothing = select.probe("d.id", &Filter::path(sort.path.clone(), Test::Absent));
                let from = select.from("aggregate", "d");
                (format!("{from} AND {nothing}"), "id")
            }
            _ => {
                let there = select.passing("d", &sort.path, &Test::Present);
                let (is, column) =
                    if part == Part::Numbers { ("IS NOT NULL", "number") } else { ("IS NULL", "text") };
                (format!("{there} AND d.item <= 1 AND d.number {is}"), column)
            }
        };
        let promoted = select.promoted_of("d.id");
        match page {
            Some(_) => begin_documents(&mut select, &format!("d.id, d.{column} AS sorted")),
            None => select.statement.push("SELECT count(*) "),
        }
        select.statement.push(&format!("{from}{promoted}"));
        self.and_probes(&mut select, "d.id", None);
        // Those without come by id in either direction.
        let descending = sort.descending && part != Part::Without;
        let (direction, than) = if descending { (" DESC", '<') } else { ("", '>') };
        if let Some(after) = after {
            let id = select.statement.text(&after.id);
            let condition = match (&after.key, part) {
                (CursorKey::Value(Some(value)), Part::Numbers | Part::Texts) => {
                    let value = key_value(&mut select, value);
                    format!("(d.{column}, d.id) {than} ({value}, {id})")
                }
                _ => format!("d.id > {id}"),
            };
            select.statement.push(&format!(" AND {condition}"));
        }
        if let Some((limit, offset)) = page {
            select.statement.push(&format!(" ORDER BY d.{column}{direction}, d.id{direction}"));
            and_page(&mut select, Value::Integer(i64::from(limit)), offset);
            end_documents(&mut select, &format!("x.sorted{direction}, x.id{direction}"));
        }
        select.statement
    }
}

fn key_value(select: &mut Select<'_>, value: &Scalar) -> String {
    match value.number() {
        Some(number) => select.statement.place(Value::Number(number)),
        None => select.statement.text(value.key()),
    }
}

/// Numbers, then texts, then those without.
pub(super) fn sort_order(sort: &Sort) -> String {
    let direction = if sort.descending { " DESC" } else { "" };
    let no_number = "CASE WHEN x.number IS NULL THEN 1 ELSE 0 END";
    let nothing = "CASE WHEN x.text IS NULL THEN 1 ELSE 0 END";
    let text = "CASE WHEN x.number IS NULL THEN x.text END";
    // Where there is nothing at all, the id goes up in either direction.
    let up = "CASE WHEN x.text IS NULL THEN x.id END";
    format!("{nothing}, {no_number}, x.number{direction}, {text}{direction}, {up}, x.id{direction}")
}

/// The condition that a row of `x` stands after a place.
pub(super) fn beyond(select: &mut Select<'_>, query: &Query, after: &Cursor) -> String {
    let id = select.statement.text(&after.id);
    let Some(sort) = &query.sort else {
        return match (query.order, &after.key) {
            (Order::CreatedAscending, CursorKey::Created(at)) => {
                let at = select.statement.place(Value::Integer(at.as_millis()));
                format!("(x.created_at, x.id) > ({at}, {id})")
            }
            (Order::CreatedDescending, CursorKey::Created(at)) => {
                let at = select.statement.place(Value::Integer(at.as_millis()));
                format!("(x.created_at, x.id) < ({at}, {id})")
            }
            (Order::IdDescending, _) => format!("x.id < {id}"),
            _ => format!("x.id > {id}"),
        };
    };
    let than = if sort.descending { '<' } else { '>' };
    let (is_number, is_text) = ("x.number IS NOT NULL", "x.number IS NULL AND x.text IS NOT NULL");
    match &after.key {
        CursorKey::Value(Some(value)) => {
            let numbers = value.number().is_some();
            let value = key_value(select, value);
            let (own, column) = if numbers { (is_number, "number") } else { (is_text, "text") };
            let within = format!("({own} AND (x.{column}, x.id) {than} ({value}, {id}))");
            let later = if numbers { format!(" OR ({is_text})") } else { String::new() };
            format!("({within}{later} OR x.text IS NULL)")
        }
        _ => format!("(x.text IS NULL AND x.id > {id})"),
    }
}
