//! An asset: what a participant offers.

use heddle_clock::Timestamp;
use heddle_ids::AssetId;
use heddle_store::{
    Aggregate,
    filter::{Properties, path_of},
};
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
    /// What selectors and queries ask for: the id, when it was made, and every property, by its short name or its full
    /// IRI, with members of it after dots.
    fn all_properties(&self) -> Properties {
        let own = self.public_properties().with_number("createdAt", self.created_at.as_millis());
        with_members(own, &self.private_properties)
    }

    /// As what queries ask for, without what never leaves the participant.
    #[must_use]
    pub fn public_properties(&self) -> Properties {
        let own = Properties::default().with_text("id", self.id.as_str());
        let own = if self.is_catalog { own.with(IS_CATALOG, &Value::Bool(true)) } else { own };
        with_members(own, &self.properties)
    }

    /// The path of a property as [`Asset::public_properties`] has it, from what a client writes: with or without
    /// quotes, the namespace, and the member that it stands in.
    #[must_use]
    pub fn path(written: &str) -> String {
        let written = written.strip_prefix("properties.").unwrap_or(written);
        let written = written.strip_prefix("privateProperties.").unwrap_or(written);
        match path_of(written, EDC_NAMESPACE) {
            id if id == "@id" => "id".to_owned(),
            path => path,
        }
    }
}

/// Whether it stands for a catalog.
const IS_CATALOG: &str = "isCatalog";
/// What an asset says of itself, whatever properties a client gives it.
const OWN: [&str; 3] = ["id", "createdAt", IS_CATALOG];

fn with_members(mut properties: Properties, members: &Map<String, Value>) -> Properties {
    for (name, value) in members.iter().filter(|(name, _)| !OWN.contains(&short(name))) {
        properties = properties.with(short(name), &shortened(value));
    }
    properties
}

/// The value with short names.
fn shortened(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| (short(name).to_owned(), shortened(member))).collect()
        }
        Value::Array(items) => items.iter().map(shortened).collect(),
        scalar => scalar.clone(),
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix(EDC_NAMESPACE).unwrap_or(name)
}

impl Aggregate for Asset {
    const KIND: &'static str = "asset";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn properties(&self) -> Option<Properties> {
        Some(self.all_properties())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_properties_in_every_spelling() {
        let asset: Asset = serde_json::from_value(json!({
            "id": "a1", "createdAt": 0,
            "properties": {"name": "n", "https://w3id.org/edc/v0.0.1/ns/kind": "k", "https://x.example/a.b": {"c": 7}, "dot.ted": 1},
            "privateProperties": {"secret": "s"},
        }))
        .expect("an asset");
        let at = |properties: &Properties, path: &str| {
            let path = Asset::path(path);
            properties.rows().iter().find(|row| row.path == path).map(|row| row.value.text().to_owned())
        };
        let all = Aggregate::properties(&asset).expect("assets have some");
        for (path, value) in [
            ("id", "a1"),
            ("@id", "a1"),
            ("https://w3id.org/edc/v0.0.1/ns/id", "a1"),
            ("'https://w3id.org/edc/v0.0.1/ns/name'", "n"),
            ("kind", "k"),
            ("properties.'name'", "n"),
            ("'https://x.example/a.b'.c", "7"),
            ("dot.ted", "1"),
            ("privateProperties.secret", "s"),
            ("createdAt", "0"),
        ] {
            assert_eq!(at(&all, path).as_deref(), Some(value), "{path}");
        }
        assert_eq!(at(&all, "nothing"), None);
        let public = asset.public_properties();
        assert_eq!(at(&public, "name").as_deref(), Some("n"));
        for path in ["secret", "privateProperties.secret", "'secret'"] {
            assert_eq!(at(&public, path), None, "{path}");
        }
    }
}
