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
    /// What a property path leads to: `id`, a public or a private property, by short name or full IRI, with or
    /// without quotes, with members of it after dots (`'https://x.example/a'.b`).
    #[must_use]
    pub fn at(&self, path: &str) -> Option<Value> {
        self.lookup(path, &[&self.properties, &self.private_properties])
    }

    /// As [`Asset::at`], without what never leaves the participant.
    #[must_use]
    pub fn public_at(&self, path: &str) -> Option<Value> {
        self.lookup(path, &[&self.properties])
    }

    fn lookup(&self, path: &str, places: &[&Map<String, Value>]) -> Option<Value> {
        let path = path.strip_prefix("properties.").unwrap_or(path);
        let path = path.strip_prefix("privateProperties.").unwrap_or(path);
        let (name, rest) =
            first_segment(path, |name| places.iter().any(|place| property(place, name).is_some()));
        if matches!(short(name), "id" | "@id") && rest.is_none() {
            return Some(Value::String(self.id.to_string()));
        }
        let mut value = places.iter().find_map(|place| property(place, name))?;
        let mut rest = rest;
        while let Some(path) = rest {
            let (name, further) = first_segment(path, |name| value.get(name).is_some());
            value = value.as_object().and_then(|members| property(members, name))?;
            rest = further;
        }
        Some(value.clone())
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix(EDC_NAMESPACE).unwrap_or(name)
}

fn property<'p>(properties: &'p Map<String, Value>, name: &str) -> Option<&'p Value> {
    let short = short(name);
    properties.get(short).or_else(|| properties.get(&format!("{EDC_NAMESPACE}{short}")))
}

/// The first name of a path, and what follows. Names in quotes may hold dots, and so may names that exist.
fn first_segment(path: &str, exists: impl Fn(&str) -> bool) -> (&str, Option<&str>) {
    if let Some((name, rest)) = path.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
        return (name, rest.strip_prefix('.'));
    }
    if path.contains("://") || exists(path) {
        return (path, None);
    }
    path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)))
}

impl Aggregate for Asset {
    const KIND: &'static str = "asset";

    fn id(&self) -> &str {
        self.id.as_str()
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
        for (path, value) in [
            ("id", json!("a1")),
            ("https://w3id.org/edc/v0.0.1/ns/id", json!("a1")),
            ("'https://w3id.org/edc/v0.0.1/ns/name'", json!("n")),
            ("kind", json!("k")),
            ("properties.'name'", json!("n")),
            ("'https://x.example/a.b'.c", json!(7)),
            ("dot.ted", json!(1)),
            ("privateProperties.secret", json!("s")),
        ] {
            assert_eq!(asset.at(path), Some(value), "{path}");
        }
        assert_eq!(asset.at("nothing"), None);
        assert_eq!(asset.public_at("name"), Some(json!("n")));
        for path in ["secret", "privateProperties.secret", "'secret'"] {
            assert_eq!(asset.public_at(path), None, "{path}");
        }
    }
}
