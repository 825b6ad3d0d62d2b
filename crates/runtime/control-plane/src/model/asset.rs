//! An asset: what a participant offers.

use heddle_clock::Timestamp;
use heddle_ids::AssetId;
use heddle_store::Aggregate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Namespace of properties without one (Management API §"JSON-LD context").
pub const EDC_NAMESPACE: &str = "https://w3id.org/edc/v0.0.1/ns/";

/// Hints for the choice of a data plane and for the data plane itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataplaneMetadata {
    /// Labels that the data plane must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Passed to the data plane as metadata.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub properties: Map<String, Value>,
    /// Transfer types that the asset is offered in; empty means all that a data plane serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
}

/// An asset. A dataset of the catalog has the same id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// Public properties, by full IRI or by short name (then of [`EDC_NAMESPACE`]).
    pub properties: Map<String, Value>,
    /// Properties that never leave the participant; selectors may use them.
    #[serde(default)]
    pub private_properties: Map<String, Value>,
    /// A data address as the client gave it. Data planes know their sources by dataset id; it is only echoed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_address: Option<Value>,
    /// Hints for data planes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataplane_metadata: Option<DataplaneMetadata>,
    /// Whether it is a catalog of its own (`CatalogAsset`).
    #[serde(default)]
    pub is_catalog: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Asset {
    /// The value of a public or private property, by short name or full IRI.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&Value> {
        let short = name.strip_prefix(EDC_NAMESPACE).unwrap_or(name);
        let long = format!("{EDC_NAMESPACE}{short}");
        [&self.properties, &self.private_properties]
            .into_iter()
            .find_map(|properties| properties.get(short).or_else(|| properties.get(&long)))
    }
}

impl Aggregate for Asset {
    const KIND: &'static str = "asset";

    fn id(&self) -> &str {
        self.id.as_str()
    }
}
