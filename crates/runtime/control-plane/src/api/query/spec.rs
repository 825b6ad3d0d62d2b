//! A query as a client writes it (Management API, schema `query-spec`).

use serde::{Deserialize, Serialize};

use crate::{api::document::Described, model::Criterion};

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(in crate::api) enum SortOrder {
    /// Smallest, or oldest, first.
    #[default]
    Asc,
    /// Largest, or newest, first.
    Desc,
}

/// A query.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::api) struct QuerySpec {
    pub(in crate::api) offset: u32,
    pub(in crate::api) limit: u32,
    pub(in crate::api) sort_field: Option<String>,
    pub(in crate::api) sort_order: SortOrder,
    pub(in crate::api) filter_expression: Vec<Criterion>,
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

impl Described for QuerySpec {
    const TYPES: &'static [&'static str] = &["QuerySpec"];
}
