//! Lists: which rows, in which order, which page.

use std::borrow::Cow;

use heddle_clock::Timestamp;

use crate::{
    Aggregate, Loaded,
    filter::{Filter, Scalar},
};

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
    /// By id, descending.
    IdDescending,
    /// Oldest first.
    CreatedAscending,
    /// Newest first.
    CreatedDescending,
}

/// Most rows that one list returns.
pub const LIST_ROWS_MAX: u32 = 10_000;

/// The order of a list by what its rows have at a path: numbers by size, then texts byte by byte (by their first
/// [`crate::filter::KEY_BYTES`] bytes), then the rows that have nothing there; ties are broken by id. Descending, the
/// largest number comes first, then the last text, and the rows that have nothing there are last again. Of a list of
/// values the first counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The path, as properties have it.
    pub path: String,
    /// The largest first.
    pub descending: bool,
}

/// A place in a list: what the order goes by, and the id.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    /// What the order goes by.
    pub key: CursorKey,
    /// The id.
    pub id: String,
}

/// What the order of a list goes by, for one row.
#[derive(Debug, Clone, PartialEq)]
pub enum CursorKey {
    /// Nothing but the id.
    Id,
    /// When the row was inserted.
    Created(Timestamp),
    /// What it has at the path of the sort.
    Value(Option<Scalar>),
}

impl Query {
    /// Whether promoted columns alone decide, and the page begins at its offset.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.filter.is_everything() && !self.unindexed && self.sort.is_none() && self.after.is_none()
    }

    /// The place of a row in this list.
    #[must_use]
    pub fn place_of<A: Aggregate>(&self, row: &Loaded<A>) -> Cursor {
        let key = match (&self.sort, self.order) {
            (Some(sort), _) => CursorKey::Value(first_at(row.value(), &sort.path)),
            (None, Order::Id | Order::IdDescending) => CursorKey::Id,
            (None, Order::CreatedAscending | Order::CreatedDescending) => {
                CursorKey::Created(row.created_at())
            }
        };
        Cursor { key, id: row.value().id().to_owned() }
    }
}

fn first_at<A: Aggregate>(value: &A, path: &str) -> Option<Scalar> {
    let rows = value.properties().unwrap_or_default().into_rows();
    rows.into_iter().find(|row| row.path == path && row.item <= 1).map(|row| row.value)
}

/// A list of one kind, within a scope. All conditions must hold; an empty query is everything.
#[derive(Debug, Clone, PartialEq)]
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
    /// What their properties must be.
    pub filter: Filter,
    /// Only rows whose properties were not stored with them, because a release did it that does not know them.
    pub unindexed: bool,
    /// A property to sort by, before all else; then `order` means nothing.
    pub sort: Option<Sort>,
    /// The order.
    pub order: Order,
    /// After this place in the order, as [`Query::place_of`] gives it for the last row of a page. A list that is read
    /// on by its last place neither repeats nor skips a row, and its last page costs what its first does.
    pub after: Option<Cursor>,
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
            filter: Filter::default(),
            unindexed: false,
            sort: None,
            order: Order::Id,
            after: None,
            offset: 0,
            limit: LIST_ROWS_MAX,
        }
    }
}
