//! Lists and counts: which way they go, and their statements.

use async_trait::async_trait;
use heddle_store::{
    Cursor, CursorKey, LIST_ROWS_MAX, Order, Query, Row, StoreError,
    filter::{Filter, SCAN_ROWS_MAX, Test},
};

mod sorted;
mod stream;

use self::{
    sorted::{beyond, sort_order},
    stream::{OneValue, values},
};
use crate::{
    select::{Select, Whose, condition_of, conjuncts, is_indexed, range},
    statement::{Dialect, Statement, Value},
};

/// Most rows that a condition finds and that are fetched and sorted: a row takes about a microsecond, as does counting
/// it before. Of 100,000 rows a page that is looked for row by row reads about as many.
const NARROW_MAX: i64 = 2_000;
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
        (Way::Narrow(driver), _) => runner.rows(list.narrow(&driver)).await,
        (Way::Stream(driver, values), _) => runner.rows(list.stream(&driver, &values)).await,
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
    let equal = indexed.clone().find(by_equality).map(|one| Driver::One(one));
    let between = || range(&all).map(|(path, low, high)| Driver::Between(path, low, high));
    let driver = equal.or_else(between).or_else(|| indexed.next().map(|one| Driver::One(one)));
    if driver.is_none() {
        list.check_breadth(runner).await?;
    }
    let mut select = list.select();
    let conditions = match &driver {
        Some(driver) => {
            let ids = driver.ids(&mut select);
            let promoted = select.promoted_of("d.id");
            format!("SELECT count(*) FROM (SELECT DISTINCT id FROM ({ids}) u) d WHERE 1 = 1{promoted}")
        }
        None => {
            let promoted = select.promoted("d");
            format!("SELECT count(*) {}{promoted}", select.from("aggregate", "d"))
        }
    };
    select.statement.push(&conditions);
    list.and_probes(&mut select, "d.id", driver.as_ref());
    runner.number(select.statement).await.map(i64::unsigned_abs)
}

/// Which way a list goes.
enum Way<'q> {
    Narrow(Driver<'q>),
    Stream(Driver<'q>, Vec<OneValue<'q>>),
    Scan,
}

/// What finds the rows of a narrow list.
enum Driver<'q> {
    /// A condition; it need not be probed.
    One(&'q Filter),
    /// A path and its bounds; they need not be probed.
    Between(&'q str, &'q Test, &'q Test),
}

impl<'q> Driver<'q> {
    fn ids(&self, select: &mut Select<'_>) -> String {
        match self {
            Self::One(filter) => select.ids(filter),
            Self::Between(path, low, high) => select.ids_between(path, low, high),
        }
    }

    /// Whether all that it finds passes this condition.
    fn covers(&self, filter: &Filter) -> bool {
        match (self, filter) {
            (Self::One(one), _) => std::ptr::eq(*one, filter),
            (Self::Between(_, low, high), Filter::Path(_, test)) => {
                std::ptr::eq(*low, test) || std::ptr::eq(*high, test)
            }
            _ => false,
        }
    }
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
        let by_id = self.query.sort.is_none() && matches!(self.query.order, Order::Id | Order::IdDescending);
        let streamed = |one: &'q Filter| {
            let values = by_id.then(|| values(one)).flatten()?;
            // What is probed stands in the statement once for each value.
            if values.len() > 1 && all.len() > 1 {
                return None;
            }
            Some(Way::Stream(Driver::One(one), values))
        };
        if let [only] = indexed.as_slice()
            && let Some(stream) = streamed(only)
        {
            return Ok(stream);
        }
        let most = if self.query.sort.is_some() { NARROW_SORTED_MAX } else { NARROW_MAX };
        let between = range(&all).map(|(path, low, high)| Driver::Between(path, low, high));
        let drivers = between.into_iter().chain(indexed.iter().map(|one| Driver::One(one)));
        for driver in drivers.take(MEASURED_MAX) {
            if self.size(runner, &driver, most + 1).await? <= most {
                let stream = if let Driver::One(one) = driver { streamed(one) } else { None };
                return Ok(stream.unwrap_or(Way::Narrow(driver)));
            }
        }
        if indexed.is_empty() {
            self.check_breadth(runner).await?;
        }
        Ok(indexed.iter().find_map(|one| streamed(one)).unwrap_or(Way::Scan))
    }

    /// How many rows a condition finds, counted up to `most`.
    async fn size(&self, runner: &mut dyn Runner, driver: &Driver<'_>, most: i64) -> Result<i64, StoreError> {
        let mut select = self.select();
        let ids = driver.ids(&mut select);
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

    /// All conditions that `driver` does not cover, on the row with the id `id`.
    fn probes(&self, select: &mut Select<'_>, id: &str, driver: Option<&Driver<'_>>) -> String {
        let mut sql = String::new();
        for filter in conjuncts(&self.query.filter) {
            if driver.is_some_and(|driver| driver.covers(filter)) {
                continue;
            }
            sql.push_str(" AND ");
            sql.push_str(&select.probe(id, filter));
        }
        sql
    }

    fn and_probes(&self, select: &mut Select<'_>, id: &str, driver: Option<&Driver<'_>>) {
        let probes = self.probes(select, id, driver);
        select.statement.push(&probes);
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

    /// What a condition finds, sorted.
    fn narrow(&self, driver: &Driver<'_>) -> Statement {
        let mut select = self.select();
        let ids = driver.ids(&mut select);
        let join = self.query.sort.as_ref().map(|sort| select.sort_keys("k", "n.id", &sort.path));
        let join = join.unwrap_or_default();
        let (keys, order) = match &self.query.sort {
            Some(sort) => (", k.number, k.text".to_owned(), sort_order(sort)),
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
            "FROM (SELECT n.id{keys} FROM (SELECT DISTINCT u.id FROM ({ids}) u) n{join} WHERE 1 = 1{promoted}"
        ));
        self.and_probes(&mut select, "n.id", Some(driver));
        // Without a limit of its own it would be merged with what is around it, and its keys fetched at each mention.
        select.statement.push(match self.dialect {
            Dialect::Sqlite => " LIMIT -1 OFFSET 0) x WHERE 1 = 1",
            Dialect::Postgres => " OFFSET 0) x WHERE 1 = 1",
        });
        if let Some(after) = &self.query.after {
            let condition = beyond(&mut select, self.query, after);
            select.statement.push(&format!(" AND {condition}"));
        }
        select.statement.push(&format!(" ORDER BY {order}"));
        self.and_page(&mut select);
        end_documents(&mut select, &order);
        select.statement
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
    let condition = condition_of(&from);
    select.statement.push(&format!(") x JOIN {table} a ON {condition} AND a.id = x.id ORDER BY {order}"));
}

#[cfg(test)]
mod tests;
