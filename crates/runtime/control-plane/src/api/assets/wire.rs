//! Assets as documents (Management API, schemas `asset` and `catalog-asset`).

use heddle_clock::Timestamp;
use heddle_ids::AssetId;
use heddle_store::{
    Aggregate,
    filter::{PATH_BYTES_MAX, PROPERTIES_MAX},
};
use heddle_web::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    api::{answer::Shown, document::Described, query::Queryable},
    model::{Asset, DataplaneMetadata},
};

/// The type of an asset that stands for a catalog.
const CATALOG: &str = "CatalogAsset";
/// The property that makes an asset one too.
const IS_CATALOG: &str = "isCatalog";

/// An asset as a client writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssetDocument {
    #[serde(rename = "@id", default)]
    pub(super) id: Option<AssetId>,
    #[serde(rename = "@type")]
    kind: String,
    properties: Map<String, Value>,
    #[serde(default)]
    private_properties: Map<String, Value>,
    #[serde(default)]
    data_address: Option<Value>,
    #[serde(default)]
    dataplane_metadata: Option<DataplaneMetadata>,
}

impl Described for AssetDocument {
    const TYPES: &'static [&'static str] = &["Asset", CATALOG];
}

impl AssetDocument {
    /// The asset, if the document holds together.
    pub(super) fn into_asset(mut self, id: AssetId, created_at: Timestamp) -> Result<Asset, Rejection> {
        let both = self.private_properties.keys().find(|name| self.properties.contains_key(*name));
        if let Some(name) = both {
            let message =
                format!("'{name}' is among the properties too; a property is either public or private");
            return Err(Rejection::invalid(format!("/privateProperties/{name}"), message));
        }
        let private_flag = self.private_properties.get(IS_CATALOG).is_some_and(is_true);
        let flag = self.properties.remove(IS_CATALOG).is_some_and(|value| is_true(&value));
        if self.kind == CATALOG {
            for name in ["endpointURL", "format"] {
                if !self.properties.get(name).is_some_and(Value::is_string) {
                    let message = format!("required property '{name}' not found");
                    return Err(Rejection::invalid("/properties", message));
                }
            }
        }
        // The id is no property of its own: it is shown as one, from the asset.
        self.properties.remove("id");
        if let Some(address) = &mut self.data_address {
            address.as_object().ok_or_else(|| Rejection::invalid("/dataAddress", "expected an object"))?;
        }
        let asset = Asset {
            id,
            properties: self.properties,
            private_properties: self.private_properties,
            data_address: self.data_address,
            dataplane_metadata: self.dataplane_metadata,
            is_catalog: self.kind == CATALOG || flag || private_flag,
            created_at,
        };
        if !asset.properties().unwrap_or_default().is_complete() {
            let message = format!(
                "an asset has at most {PROPERTIES_MAX} values, each at a path of at most {PATH_BYTES_MAX} bytes: more \
                 could not be searched"
            );
            return Err(Rejection::invalid("/properties", message));
        }
        Ok(asset)
    }
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str() == Some("true"))
}

/// An asset as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssetBody<'a> {
    #[serde(rename = "@id")]
    id: &'a AssetId,
    created_at: Timestamp,
    properties: Properties<'a>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    private_properties: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_address: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataplane_metadata: Option<Metadata<'a>>,
}

/// The public properties; the id is one of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    id: &'a AssetId,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_catalog: bool,
    #[serde(flatten)]
    others: &'a Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct Metadata<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(flatten)]
    body: &'a DataplaneMetadata,
}

/// What a client sees.
pub(super) fn shown(asset: &Asset) -> Shown<AssetBody<'_>> {
    let body = AssetBody {
        id: &asset.id,
        created_at: asset.created_at,
        properties: Properties { id: &asset.id, is_catalog: asset.is_catalog, others: &asset.properties },
        private_properties: &asset.private_properties,
        data_address: asset.data_address.as_ref(),
        dataplane_metadata: asset
            .dataplane_metadata
            .as_ref()
            .map(|body| Metadata { kind: "DataplaneMetadata", body }),
    };
    Shown::new(if asset.is_catalog { CATALOG } else { "Asset" }, body)
}

impl Queryable for Asset {
    const PATHS: &'static [&'static str] = &[];
}
