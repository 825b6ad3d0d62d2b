//! Catalog requests as documents (Management API, schemas `catalog-request`, `dataset-request`), and the filter that
//! goes to the counter-party.

use heddle_ids::{AssetId, ParticipantId, ProfileName};
use serde::{Deserialize, Serialize};

use crate::{
    api::{
        document::Described,
        query::{QuerySpec, SortOrder},
    },
    model::Criterion,
};

/// Whom to ask, and for what. A dataset request names the dataset by `@id`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted<I> {
    #[serde(rename = "@id", default)]
    pub(super) id: I,
    pub(super) counter_party_address: String,
    pub(super) counter_party_id: ParticipantId,
    #[serde(default)]
    pub(super) profile: Option<ProfileName>,
    #[serde(default)]
    pub(super) protocol: Option<ProfileName>,
    #[serde(default)]
    pub(super) additional_scopes: Vec<String>,
    #[serde(default)]
    pub(super) query_spec: Option<QuerySpec>,
}

pub(super) type CatalogDocument = Wanted<Option<String>>;
pub(super) type DatasetDocument = Wanted<Option<AssetId>>;

impl Described for CatalogDocument {
    const TYPES: &'static [&'static str] = &["CatalogRequest"];
}

impl Described for DatasetDocument {
    const TYPES: &'static [&'static str] = &["DatasetRequest"];
}

/// A filter as connectors write it (`QuerySpec` of the connector's dataspace context).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    offset: u32,
    limit: u32,
    sort_order: SortOrder,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_field: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filter_expression: Vec<FilterCriterion<'a>>,
}

#[derive(Debug, Serialize)]
struct FilterCriterion<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(flatten)]
    criterion: &'a Criterion,
}

impl<'a> From<&'a QuerySpec> for Filter<'a> {
    fn from(spec: &'a QuerySpec) -> Self {
        let criteria = spec.filter_expression.iter();
        Self {
            kind: "QuerySpec",
            offset: spec.offset,
            limit: spec.limit,
            sort_order: spec.sort_order,
            sort_field: spec.sort_field.as_deref(),
            filter_expression: criteria
                .map(|criterion| FilterCriterion { kind: "Criterion", criterion })
                .collect(),
        }
    }
}
