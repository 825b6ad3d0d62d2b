//! A statement in the making.

/// Which database a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A value on its way to the database.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `text`.
    Text(String),
    /// `bigint`.
    Integer(i64),
    /// `double precision`.
    Number(f64),
}

/// A statement with its values, which stand in it by number: `$1` on PostgreSQL, `?1` on SQLite.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// The values.
    pub values: Vec<Value>,
    dialect: Dialect,
}

impl Statement {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { sql: String::new(), values: Vec::new(), dialect }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Adds a value and gives its place back.
    pub(crate) fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        let mark = match self.dialect {
            Dialect::Sqlite => '?',
            Dialect::Postgres => '$',
        };
        format!("{mark}{}", self.values.len())
    }

    pub(crate) fn text(&mut self, text: &str) -> String {
        self.place(Value::Text(text.to_owned()))
    }

    pub(crate) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// The name of a table.
    pub(crate) fn table(&self, name: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => name.to_owned(),
            Dialect::Postgres => format!("heddle.{name}"),
        }
    }
}
