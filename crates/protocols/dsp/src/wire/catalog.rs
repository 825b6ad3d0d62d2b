//! Messages of the catalog protocol (DSP 2025-1 §"Catalog Protocol").

use heddle_ids::{AssetId, MessageId, ParticipantId};
use heddle_odrl::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Context, Is, Malformed, Wire, context::typed, lists::one_or_many};

typed! {
    CatalogRequestMessage = "CatalogRequestMessage";
    DatasetRequestMessage = "DatasetRequestMessage";
    Catalog = "Catalog";
    NestedCatalog = "Catalog";
    RootDataset = "Dataset";
    Dataset = "Dataset";
    Distribution = "Distribution";
    DataService = "DataService";
    CatalogError = "CatalogError";
}

/// Asks for a catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogRequestMessage {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// `@id`.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// A query in a language that the two parties agree on. An empty list is no filter.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<Value>,
}

impl Wire for CatalogRequestMessage {}

/// Asks for one dataset. The HTTPS binding does not use it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetRequestMessage {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// `@id`.
    #[serde(rename = "@id", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The dataset.
    pub dataset: AssetId,
}

impl Wire for DatasetRequestMessage {}

/// The catalog of a participant, as one consumer may see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Catalog {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@id`.
    #[serde(rename = "@id")]
    pub id: String,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// The participant whose catalog it is.
    pub participant_id: ParticipantId,
    /// Where to negotiate.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<DataService>,
    /// What is offered.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub dataset: Vec<Dataset>,
    /// Catalogs inside this one.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub catalog: Vec<NestedCatalog>,
    /// How the catalog itself can be had.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub distribution: Vec<Distribution>,
}

impl Wire for Catalog {}

/// A catalog inside another one: a pointer to its service, or its contents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NestedCatalog {
    /// `@id`.
    #[serde(rename = "@id")]
    pub id: String,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// The participant whose catalog it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<ParticipantId>,
    /// Where to ask for it.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<DataService>,
    /// What is offered.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub dataset: Vec<Dataset>,
    /// Catalogs inside this one.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub catalog: Vec<NestedCatalog>,
    /// How the catalog itself can be had.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub distribution: Vec<Distribution>,
}

/// A dataset inside a catalog, with its offers and the ways to have it.
///
/// Read without `@type` too, and with offers that have no rules: peers leave both out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dataset {
    /// `@id`; the target of its offers.
    #[serde(rename = "@id")]
    pub id: AssetId,
    /// `@type`.
    #[serde(rename = "@type", default)]
    pub kind: Is<Self>,
    /// The offers; at least one. They have no target of their own.
    #[serde(deserialize_with = "one_or_many")]
    pub has_policy: Vec<Policy>,
    /// The ways to have the data; at least one in what is written.
    #[serde(deserialize_with = "one_or_many")]
    pub distribution: Vec<Distribution>,
    /// Everything else that describes it.
    #[serde(flatten)]
    pub properties: Map<String, Value>,
}

/// A dataset as an answer of its own (`GET …/catalog/datasets/{id}`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RootDataset {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@id`.
    #[serde(rename = "@id")]
    pub id: AssetId,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// The offers; at least one.
    #[serde(deserialize_with = "one_or_many")]
    pub has_policy: Vec<Policy>,
    /// The ways to have the data.
    #[serde(deserialize_with = "one_or_many")]
    pub distribution: Vec<Distribution>,
    /// Everything else that describes it.
    #[serde(flatten)]
    pub properties: Map<String, Value>,
}

impl Wire for RootDataset {
    fn check(&self) -> Result<(), Malformed> {
        match self.has_policy.is_empty() {
            true => Err(Malformed::at("/hasPolicy", "at least one offer")),
            false => Ok(()),
        }
    }
}

impl From<Dataset> for RootDataset {
    fn from(dataset: Dataset) -> Self {
        let Dataset { id, kind: _, has_policy, distribution, properties } = dataset;
        Self { context: Context, id, kind: Is::new(), has_policy, distribution, properties }
    }
}

/// One way to have a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Distribution {
    /// `@type`.
    #[serde(rename = "@type", default)]
    pub kind: Is<Self>,
    /// The format to name in a transfer request, such as `HttpData-PULL`.
    pub format: String,
    /// The service to negotiate with.
    pub access_service: AccessService,
    /// Offers of this distribution alone.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub has_policy: Vec<Policy>,
}

/// A service by its id or in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "the id of a service, or a service with '@id', '@type' and 'endpointURL'")]
pub enum AccessService {
    /// The `@id` of a service of the same catalog.
    Id(String),
    /// The service itself.
    Service(DataService),
}

/// Where to negotiate about datasets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataService {
    /// `@id`.
    #[serde(rename = "@id")]
    pub id: String,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// The base URL that the paths of the protocol are appended to.
    #[serde(rename = "endpointURL")]
    pub endpoint_url: String,
}

/// A refusal of the catalog protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogError {
    /// `@context`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// `@type`.
    #[serde(rename = "@type")]
    pub kind: Is<Self>,
    /// A code that the sender defines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<Value>,
}

impl Wire for CatalogError {}

impl CatalogError {
    /// A refusal with a code and a reason in words.
    #[must_use]
    pub fn new(code: &str, reason: &str) -> Self {
        let reason = vec![Value::String(reason.to_owned())];
        Self { context: Context, kind: Is::new(), code: Some(code.to_owned()), reason }
    }
}
