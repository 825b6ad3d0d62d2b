//! The parts of a list's statements.

use heddle_store::{
    Query,
    filter::{Filter, Test},
};

use crate::{
    statement::{Dialect, Statement, Value},
    test::{Row, positive},
};

/// Whose rows of which kind.
#[derive(Debug, Clone)]
pub struct Whose {
    /// The owner.
    pub owner: String,
    /// The counter-party, where the statement has to ask for it: PostgreSQL does by itself.
    pub peer: Option<String>,
    /// The kind.
    pub kind: &'static str,
}

/// A statement about the rows of `whose`; its first values are the owner, the kind and, on SQLite, the counter-party.
pub(crate) struct Select<'q> {
    pub(crate) statement: Statement,
    pub(crate) query: &'q Query,
    peer: bool,
    /// Aliases that are used up.
    aliases: usize,
}

impl<'q> Select<'q> {
    pub(crate) fn new(dialect: Dialect, whose: &Whose, query: &'q Query) -> Self {
        let mut statement = Statement::new(dialect);
        statement.text(&whose.owner);
        statement.text(whose.kind);
        if let Some(peer) = &whose.peer {
            statement.text(peer);
        }
        Self { statement, query, peer: whose.peer.is_some(), aliases: 0 }
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("p{}", self.aliases)
    }

    fn mark(&self) -> char {
        match self.statement.dialect() {
            Dialect::Sqlite => '?',
            Dialect::Postgres => '$',
        }
    }

    /// `FROM table alias WHERE` its owner, its kind, and what a peer may see.
    pub(crate) fn from(&self, table: &str, alias: &str) -> String {
        self.rows_by(table, alias, None)
    }

    /// As [`Select::from`], by this index: SQLite would rather have an order than few rows.
    fn rows_by(&self, table: &str, alias: &str, index: Option<&str>) -> String {
        let by = match (self.statement.dialect(), index) {
            (Dialect::Sqlite, Some(index)) => format!(" INDEXED BY {index}"),
            _ => String::new(),
        };
        let (table, mark) = (self.statement.table(table), self.mark());
        let peer = if self.peer {
            format!(" AND ({alias}.counter_party IS NULL OR {alias}.counter_party = {mark}3)")
        } else {
            String::new()
        };
        format!("FROM {table} {alias}{by} WHERE {alias}.owner = {mark}1 AND {alias}.kind = {mark}2{peer}")
    }

    /// The property rows that pass the positive form of a test, as `FROM … WHERE …` under `alias`.
    pub(crate) fn passing(&mut self, alias: &str, path: &str, test: &Test) -> String {
        self.rows(Row::found(alias, self.statement.dialect()), path, test, None)
    }

    fn rows(&mut self, row: Row<'_>, path: &str, test: &Test, index: Option<&str>) -> String {
        let alias = row.alias;
        let from = self.rows_by("property", alias, index);
        let path = self.statement.text(path);
        let test = positive(&mut self.statement, row, test);
        format!("{from} AND {alias}.path = {path} AND {test}")
    }

    /// Ids that an indexed filter finds; one id may come several times. See [`is_indexed`].
    pub(crate) fn ids(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Path(path, test) => {
                let alias = self.alias();
                let passing =
                    self.rows(Row::found(&alias, self.statement.dialect()), path, test, Some(index_of(test)));
                format!("SELECT {alias}.id {passing}")
            }
            Filter::Any(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.ids(part)).collect();
                parts.join(" UNION ALL ")
            }
            Filter::All(parts) => parts.first().map_or_else(String::new, |part| self.ids(part)),
        }
    }

    /// Ids of rows that pass both bounds of a range: those with a value between them, and those of whose several values
    /// (the second of which has place 2) one is above the lower bound and another below the upper.
    pub(crate) fn ids_between(&mut self, path: &str, low: &Test, high: &Test) -> String {
        let (alone, listed) = (self.alias(), self.alias());
        let within = self.rows(Row::found(&alone, self.statement.dialect()), path, low, Some(index_of(low)));
        let row = Row::found(&alone, self.statement.dialect());
        let below = positive(&mut self.statement, row, high);
        let lists = self.rows_by("property", &listed, Some("property_listed"));
        let id = format!("{listed}.id");
        let above = self.exists(&id, path, low, "NOT NULL");
        let under = self.exists(&id, path, high, "NOT NULL");
        let path = self.statement.text(path);
        format!(
            "SELECT {alone}.id {within} AND {below} \
             UNION ALL SELECT {id} {lists} AND {listed}.path = {path} AND {listed}.item > 0 \
             AND {listed}.item = 2 AND {above} AND {under}"
        )
    }

    /// The filter as a condition on the row with the id `id`.
    pub(crate) fn probe(&mut self, id: &str, filter: &Filter) -> String {
        match filter {
            Filter::All(parts) if parts.is_empty() => "1 = 1".to_owned(),
            Filter::Any(parts) if parts.is_empty() => "1 = 0".to_owned(),
            Filter::All(parts) => self.joined(id, parts, " AND "),
            Filter::Any(parts) => self.joined(id, parts, " OR "),
            Filter::Path(path, test) => {
                let present = |this: &mut Self| this.exists(id, path, &Test::Present, "NOT NULL");
                match test {
                    Test::Absent => self.exists(id, path, &Test::Present, "NULL"),
                    Test::NotEqual(_) | Test::NotIn(_) | Test::NotLike(_) => {
                        let (some, none) = (present(self), self.exists(id, path, test, "NULL"));
                        format!("({some} AND {none})")
                    }
                    positive => self.exists(id, path, positive, "NOT NULL"),
                }
            }
        }
    }

    fn joined(&mut self, id: &str, parts: &[Filter], with: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.probe(id, part)).collect();
        format!("({})", parts.join(with))
    }

    /// A scalar subquery with a limit: it is run row by row, by the primary key.
    fn exists(&mut self, id: &str, path: &str, test: &Test, is: &str) -> String {
        let alias = self.alias();
        let passing = self.rows(Row::probed(&alias, self.statement.dialect()), path, test, None);
        format!("(SELECT 1 {passing} AND {alias}.id = {id} LIMIT 1) IS {is}")
    }

    /// A join with the property row that a sort goes by, under `alias`, for the row with the id `id`: none, or one.
    pub(crate) fn sort_keys(&mut self, alias: &str, id: &str, path: &str) -> String {
        let row = self.alias();
        match self.statement.dialect() {
            // The limit keeps it a look-up for each row: nothing else would be, under row-level security.
            Dialect::Postgres => {
                let passing = self.passing(&row, path, &Test::Present);
                format!(
                    " LEFT JOIN LATERAL (SELECT {row}.number, {row}.text {passing} AND {row}.id = {id} \
                     AND {row}.item <= 1 LIMIT 1) {alias} ON true"
                )
            }
            Dialect::Sqlite => {
                let passing = self.passing(alias, path, &Test::Present);
                let condition = condition_of(&passing);
                format!(
                    " LEFT JOIN property {alias} ON {condition} AND {alias}.id = {id} AND {alias}.item <= 1"
                )
            }
        }
    }

    /// The conditions on promoted columns of the aggregate `alias`; empty when there are none.
    pub(crate) fn promoted(&mut self, alias: &str) -> String {
        let mut sql = String::new();
        if !self.query.states.is_empty() {
            let states: Vec<String> =
                self.query.states.iter().map(|state| self.statement.text(state)).collect();
            sql.push_str(&format!(" AND {alias}.state IN ({})", states.join(", ")));
        }
        let equal = [
            ("counter_party", &self.query.counter_party),
            ("correlation", &self.query.correlation),
            ("reference", &self.query.reference),
        ];
        for (column, wanted) in equal {
            if let Some(wanted) = wanted {
                let place = self.statement.text(wanted);
                sql.push_str(&format!(" AND {alias}.{column} = {place}"));
            }
        }
        if let Some(due) = self.query.due_until {
            let place = self.statement.place(Value::Integer(due.as_millis()));
            sql.push_str(&format!(" AND {alias}.due_at <= {place}"));
        }
        if self.query.unindexed {
            sql.push_str(&match self.statement.dialect() {
                Dialect::Sqlite => format!(" AND {alias}.indexed IS NOT {alias}.version"),
                Dialect::Postgres => format!(" AND {alias}.unindexed = 1"),
            });
        }
        sql
    }

    /// As [`Select::promoted`], for a row of which only the id is known.
    pub(crate) fn promoted_of(&mut self, id: &str) -> String {
        let alias = self.alias();
        let promoted = self.promoted(&alias);
        if promoted.is_empty() {
            return promoted;
        }
        let from = self.from("aggregate", &alias);
        format!(" AND (SELECT 1 {from}{promoted} AND {alias}.id = {id} LIMIT 1) IS NOT NULL")
    }
}

/// What stands after `WHERE`, as the condition of a join.
pub(crate) fn condition_of(from: &str) -> &str {
    from.split_once(" WHERE ").map_or("", |(_, condition)| condition)
}

/// The index that finds what passes a test.
fn index_of(test: &Test) -> &'static str {
    match test {
        Test::Less(bound) | Test::AtMost(bound) | Test::Greater(bound) | Test::AtLeast(bound)
            if bound.number().is_some() =>
        {
            "property_number"
        }
        _ => "property_text",
    }
}

/// A path with a lower and an upper bound of one sort, if there is one.
pub(crate) fn range<'q>(all: &[&'q Filter]) -> Option<(&'q str, &'q Test, &'q Test)> {
    let bounds = |filter: &&'q Filter| match filter {
        Filter::Path(path, test) => Some((path.as_str(), test)),
        _ => None,
    };
    all.iter().filter_map(bounds).find_map(|(path, low)| {
        let (Test::Greater(from) | Test::AtLeast(from)) = low else { return None };
        let upper = |test: &Test| match test {
            Test::Less(to) | Test::AtMost(to) => to.number().is_some() == from.number().is_some(),
            _ => false,
        };
        let (_, high) = all.iter().filter_map(bounds).find(|(other, test)| *other == path && upper(test))?;
        Some((path, low, high))
    })
}

/// Whether [`Select::ids`] finds all that passes, by an index.
pub(crate) fn is_indexed(filter: &Filter) -> bool {
    match filter {
        Filter::Path(_, test) => test.is_indexed(),
        Filter::Any(parts) => !parts.is_empty() && parts.iter().all(is_indexed),
        Filter::All(parts) => parts.len() == 1 && parts.iter().all(is_indexed),
    }
}

/// The conditions that must all hold.
pub(crate) fn conjuncts(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::All(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}
