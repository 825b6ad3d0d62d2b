//! Lists and counts: which way they go, and their statements.

use async_trait::async_trait;
use heddle_store::{
    Cursor, CursorKey, LIST_ROWS_MAX, Order, Query, Row, Sort, StoreError,
    filter::{Filter, SCAN_ROWS_MAX, Scalar, Test},
};

use crate::{
    select::{Select, Whose, conjuncts, is_indexed},
    statement::{Dialect, Statement, Value},
};

/// Most rows that a condition finds and that are fetched and sorted: a row takes about a microsecond.
const NARROW_MAX: i64 = 4_000;
/// The same where the property to sort by has to be fetched for each row.
const NARROW_SORTED_MAX: i64 = 1_000;
/// Most conditions whose size is asked for.
const MEASURED_MAX: usize = 4;

/// Runs statements within one snapshot.
#[async_trait]
pub trait Runner: Send {
    /// Rows of id, version, document, time of insertion.
    async fn rows(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError>;

    /// The number that a statement gives.
    async fn number(&mut self, statement: Statement) -> Result<i64, StoreError>;
}

/// The rows of a list.
///
/// # Errors
/// `TooBroad`, or what the runner says.
pub async fn rows(
    runner: &mut dyn Runner,
    dialect: Dialect,
    whose: &Whose,
    query: &Query,
) -> Result<Vec<Row>, StoreError> {
    let list = List { dialect, whose, query };
    let limit = query.limit.min(LIST_ROWS_MAX);
    if limit == 0 {
        return Ok(Vec::new());
    }
    match (list.way(runner).await?, &query.sort) {
        (Way::Narrow(driver), _) => runner.rows(list.narrow(driver)).await,
        (Way::Equal(driver), _) => runner.rows(list.equal(driver)).await,
        (Way::Scan, Some(sort)) => list.sorted(runner, sort, (query.offset, limit)).await,
        (Way::Scan, None) => runner.rows(list.scan()).await,
    }
}

/// How many rows a list has, whatever its page is.
///
/// # Errors
/// `TooBroad`, or what the runner says.
pub async fn count(
    runner: &mut dyn Runner,
    dialect: Dialect,
    whose: &Whose,
    query: &Query,
) -> Result<u64, StoreError> {
    let list = List { dialect, whose, query };
    let all = conjuncts(&query.filter);
    // What compares for equality finds fewest.
    let by_equality = |filter: &&&Filter| matches!(filter, Filter::Path(_, Test::Equal(_)));
    let mut indexed = all.iter().filter(|filter| is_indexed(filter));
    let driver = indexed.clone().find(by_equality).or_else(|| indexed.next()).copied();
    if driver.is_none() {
        list.check_breadth(runner).await?;
    }
    let mut select = list.select();
    let conditions = match driver {
        Some(driver) => {
            let ids = select.ids(driver);
            let promoted = select.promoted_of("d.id");
            format!("SELECT count(*) FROM (SELECT DISTINCT id FROM ({ids}) u) d WHERE 1 = 1{promoted}")
        }
        None => {
            let promoted = select.promoted("d");
            format!("SELECT count(*) {}{promoted}", select.from("aggregate", "d"))
        }
    };
    select.statement.push(&conditions);
    list.and_probes(&mut select, "d.id", driver);
    runner.number(select.statement).await.map(i64::unsigned_abs)
}

/// Which way a list goes.
enum Way<'q> {
    Narrow(&'q Filter),
    Equal(&'q Filter),
    Scan,
}

struct List<'q> {
    dialect: Dialect,
    whose: &'q Whose,
    query: &'q Query,
}

impl<'q> List<'q> {
    fn select(&self) -> Select<'q> {
        Select::new(self.dialect, self.whose, self.query)
    }

    async fn way(&self, runner: &mut dyn Runner) -> Result<Way<'q>, StoreError> {
        let all = conjuncts(&self.query.filter);
        let indexed: Vec<&'q Filter> = all.iter().copied().filter(|filter| is_indexed(filter)).collect();
        let equal = indexed.iter().copied().find(|filter| matches!(filter, Filter::Path(_, Test::Equal(_))));
        let by_id = self.query.sort.is_none() && matches!(self.query.order, Order::Id | Order::IdDescending);
        if let (Some(equal), true, 1) = (equal, by_id, all.len()) {
            return Ok(Way::Equal(equal));
        }
        let most = if self.query.sort.is_some() { NARROW_SORTED_MAX } else { NARROW_MAX };
        for one in indexed.iter().take(MEASURED_MAX) {
            if self.size(runner, one, most + 1).await? <= most {
                return Ok(Way::Narrow(one));
            }
        }
        if indexed.is_empty() {
            self.check_breadth(runner).await?;
        }
        Ok(equal.filter(|_| by_id).map_or(Way::Scan, Way::Equal))
    }

    /// How many rows a condition finds, counted up to `most`.
    async fn size(&self, runner: &mut dyn Runner, filter: &Filter, most: i64) -> Result<i64, StoreError> {
        let mut select = self.select();
        let ids = select.ids(filter);
        let most = select.statement.place(Value::Integer(most));
        select.statement.push(&format!("SELECT count(*) FROM (SELECT 1 FROM ({ids}) u LIMIT {most}) s"));
        runner.number(select.statement).await
    }

    /// Refuses conditions without an index on too many rows.
    async fn check_breadth(&self, runner: &mut dyn Runner) -> Result<(), StoreError> {
        if self.query.filter.is_everything() {
            return Ok(());
        }
        let mut select = self.select();
        let most = select.statement.place(Value::Integer(i64::from(SCAN_ROWS_MAX) + 1));
        let from = select.from("aggregate", "d");
        select.statement.push(&format!("SELECT count(*) FROM (SELECT 1 {from} LIMIT {most}) s"));
        if runner.number(select.statement).await? > i64::from(SCAN_ROWS_MAX) {
            return Err(StoreError::TooBroad { rows_max: SCAN_ROWS_MAX });
        }
        Ok(())
    }

    /// All conditions but `driver`, on the row with the id `id`.
    fn and_probes(&self, select: &mut Select<'_>, id: &str, driver: Option<&Filter>) {
        for filter in conjuncts(&self.query.filter) {
            if driver.is_some_and(|driver| std::ptr::eq(driver, filter)) {
                continue;
            }
            let probe = select.probe(id, filter);
            select.statement.push(&format!(" AND {probe}"));
        }
    }

    fn and_page(&self, select: &mut Select<'_>) {
        let limit = Value::Integer(i64::from(self.query.limit.min(LIST_ROWS_MAX)));
        and_page(select, limit, self.query.offset);
    }

    /// The rows of a kind in the order of the list.
    fn scan(&self) -> Statement {
        let mut select = self.select();
        let promoted = select.promoted("d");
        let from = select.from("aggregate", "d");
        select.statement.push(&format!("SELECT d.id, d.version, d.document, d.created_at {from}{promoted}"));
        self.and_probes(&mut select, "d.id", None);
        if let Some(Cursor { key, id }) = &self.query.after {
            let id = select.statement.text(id);
            let condition = match (self.query.order, key) {
                (Order::Id, _) => format!("d.id > {id}"),
                (Order::IdDescending, _) => format!("d.id < {id}"),
                (Order::CreatedAscending | Order::CreatedDescending, key) => {
                    let created = if let CursorKey::Created(at) = key { at.as_millis() } else { 0 };
                    let created = select.statement.place(Value::Integer(created));
                    let than = if self.query.order == Order::CreatedAscending { '>' } else { '<' };
                    format!("(d.created_at, d.id) {than} ({created}, {id})")
                }
            };
            select.statement.push(&format!(" AND {condition}"));
        }
        select.statement.push(match self.query.order {
            Order::Id => " ORDER BY d.id",
            Order::IdDescending => " ORDER BY d.id DESC",
            Order::CreatedAscending => " ORDER BY d.created_at, d.id",
            Order::CreatedDescending => " ORDER BY d.created_at DESC, d.id DESC",
        });
        self.and_page(&mut select);
        select.statement
    }

    /// The rows of one value, in the order of their ids.
    fn equal(&self, driver: &Filter) -> Statement {
        let mut select = self.select();
        let descending = self.query.order == Order::IdDescending;
        let (path, test) = match driver {
            Filter::Path(path, test) => (path.as_str(), test),
            // Not reached: the driver compares for equality.
            _ => ("", &Test::Present),
        };
        let passing = select.passing("d", path, test);
        let promoted = select.promoted_of("d.id");
        begin_documents(&mut select, "d.id");
        select.statement.push(&format!("{passing}{promoted}"));
        self.and_probes(&mut select, "d.id", Some(driver));
        if let Some(after) = &self.query.after {
            let id = select.statement.text(&after.id);
            select.statement.push(&format!(" AND d.id {} {id}", if descending { '<' } else { '>' }));
        }
        let direction = if descending { " DESC" } else { "" };
        select.statement.push(&format!(" ORDER BY d.id{direction}"));
        self.and_page(&mut select);
        end_documents(&mut select, &format!("x.id{direction}"));
        select.statement
    }

    /// What a condition finds, sorted.
    fn narrow(&self, driver: &Filter) -> Statement {
        let mut select = self.select();
        let ids = select.ids(driver);
        let (keys, order) = match &self.query.sort {
            Some(sort) => {
                let (number, text) = (
                    select.sort_key("n.id", &sort.path, "number"),
                    select.sort_key("n.id", &sort.path, "text"),
                );
                (format!(", {number} AS number, {text} AS text"), sort_order(sort))
            }
            None => {
                let from = select.from("aggregate", "c");
                let created = format!("(SELECT c.created_at {from} AND c.id = n.id LIMIT 1)");
                match self.query.order {
                    Order::Id => (String::new(), "x.id".to_owned()),
                    Order::IdDescending => (String::new(), "x.id DESC".to_owned()),
                    Order::CreatedAscending => {
                        (format!(", {created} AS created_at"), "x.created_at, x.id".to_owned())
                    }
                    Order::CreatedDescending => {
                        (format!(", {created} AS created_at"), "x.created_at DESC, x.id DESC".to_owned())
                    }
                }
            }
        };
        let promoted = select.promoted_of("n.id");
        begin_documents(&mut select, "x.*");
        select.statement.push(&format!(
            "FROM (SELECT n.id{keys} FROM (SELECT DISTINCT u.id FROM ({ids}) u) n WHERE 1 = 1{promoted}"
        ));
        self.and_probes(&mut select, "n.id", Some(driver));
        select.statement.push(") x WHERE 1 = 1");
        if let Some(after) = &self.query.after {
            let condition = beyond(&mut select, self.query, after);
            select.statement.push(&format!(" AND {condition}"));
        }
        select.statement.push(&format!(" ORDER BY {order}"));
        self.and_page(&mut select);
        end_documents(&mut select, &order);
        select.statement
    }

    /// In the order of a property, part after part, until the page is full.
    async fn sorted(
        &self,
        runner: &mut dyn Runner,
        sort: &Sort,
        (mut offset, limit): (u32, u32),
    ) -> Result<Vec<Row>, StoreError> {
        let mut found: Vec<Row> = Vec::new();
        let parts = if sort.descending {
            [Part::Texts, Part::Numbers, Part::Without]
        } else {
            [Part::Numbers, Part::Texts, Part::Without]
        };
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

fn key_value(select: &mut Select<'_>, value: &Scalar) -> String {
    match value.number() {
        Some(number) => select.statement.place(Value::Number(number)),
        None => select.statement.text(value.key()),
    }
}

fn and_page(select: &mut Select<'_>, limit: Value, offset: u32) {
    let limit = select.statement.place(limit);
    select.statement.push(&format!(" LIMIT {limit}"));
    if offset > 0 {
        let offset = select.statement.place(Value::Integer(i64::from(offset)));
        select.statement.push(&format!(" OFFSET {offset}"));
    }
}

/// What is fetched of the documents of a page is fetched after the page is known.
fn begin_documents(select: &mut Select<'_>, columns: &str) {
    select
        .statement
        .push(&format!("SELECT a.id, a.version, a.document, a.created_at FROM (SELECT {columns} "));
}

fn end_documents(select: &mut Select<'_>, order: &str) {
    let (table, from) = (select.statement.table("aggregate"), select.from("aggregate", "a"));
    // The join's condition is what stands after WHERE.
    let condition = from.split_once(" WHERE ").map_or("", |(_, condition)| condition).to_owned();
    select.statement.push(&format!(") x JOIN {table} a ON {condition} AND a.id = x.id ORDER BY {order}"));
}

/// Numbers, then texts, then those without; descending, texts and numbers change places.
fn sort_order(sort: &Sort) -> String {
    let direction = if sort.descending { " DESC" } else { "" };
    // Where there is nothing at all, the id goes up in either direction.
    let (up, down) = if sort.descending {
        ("CASE WHEN x.text IS NULL THEN x.id END", ", x.id DESC")
    } else {
        ("CASE WHEN x.text IS NULL THEN x.id END", ", x.id")
    };
    let no_number = "CASE WHEN x.number IS NULL THEN 1 ELSE 0 END";
    let nothing = "CASE WHEN x.text IS NULL THEN 1 ELSE 0 END";
    let text = "CASE WHEN x.number IS NULL THEN x.text END";
    format!("{nothing}, {no_number}{direction}, x.number{direction}, {text}{direction}, {up}{down}")
}

/// The condition that a row of `x` stands after a place.
fn beyond(select: &mut Select<'_>, query: &Query, after: &Cursor) -> String {
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
            let later = match (numbers, sort.descending) {
                (true, false) => format!(" OR ({is_text})"),
                (false, true) => format!(" OR ({is_number})"),
                _ => String::new(),
            };
            format!("({within}{later} OR x.text IS NULL)")
        }
        _ => format!("(x.text IS NULL AND x.id > {id})"),
    }
}
