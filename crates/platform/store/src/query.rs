//! Lists by promoted columns.

use std::borrow::Cow;

use heddle_clock::Timestamp;

/// A stored document as the database hands it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The id.
    pub id: String,
    /// The version; the first is 1.
    pub version: u64,
    /// The JSON text.
    pub document: String,
    /// When the row was inserted.
    pub created_at: Timestamp,
}

/// One row, by its id or by its unique key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector<'a> {
    /// By id.
    Id(&'a str),
    /// By unique key.
    UniqueKey(&'a str),
}

/// The order of a list; ties are broken by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By id, ascending.
    #[default]
    Id,
    /// Oldest first.
    CreatedAscending,
    /// Newest first.
    CreatedDescending,
}

/// Most rows that one list returns.
pub const LIST_ROWS_MAX: u32 = 10_000;

/// A list of one kind, within a scope. All conditions must hold; an empty query is everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// One of these states; empty means any.
    pub states: Vec<Cow<'static, str>>,
    /// This counter-party.
    pub counter_party: Option<String>,
    /// This correlation.
    pub correlation: Option<String>,
    /// This reference.
    pub reference: Option<String>,
    /// Due at or before this time.
    pub due_until: Option<Timestamp>,
    /// The order.
    pub order: Order,
    /// Rows to skip.
    pub offset: u32,
    /// Rows to return, at most [`LIST_ROWS_MAX`].
    pub limit: u32,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            states: Vec::new(),
            counter_party: None,
            correlation: None,
            reference: None,
            due_until: None,
            order: Order::Id,
            offset: 0,
            limit: LIST_ROWS_MAX,
        }
    }
}
