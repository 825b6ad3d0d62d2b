//! The data address: where data is fetched from or sent to, and what opens the door.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::malformed::Malformed;

/// Most endpoint properties that a data address may have.
pub const PROPERTIES_MAX: usize = 64;

/// A data address in the shape of DSP 2025-1 (transfer, `DataAddress`).
///
/// `@type` is written and not required, since published examples omit it. Its properties carry access
/// tokens: `Debug` shows their names only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataAddress {
    #[serde(rename = "@type", skip_deserializing)]
    kind: AddressType,
    /// What kind of endpoint it is: a transfer profile's name, or an older name of the transport.
    pub endpoint_type: String,
    /// The endpoint, usually a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What a client needs besides the endpoint, such as `authorization` and `authType`.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub endpoint_properties: Vec<EndpointProperty>,
}

/// One named value of a data address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointProperty {
    #[serde(rename = "@type", skip_deserializing)]
    kind: PropertyType,
    /// The name, such as `authorization`.
    pub name: String,
    /// The value; may be secret.
    pub value: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
enum AddressType {
    #[default]
    DataAddress,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
enum PropertyType {
    #[default]
    EndpointProperty,
}

impl DataAddress {
    /// An address without properties.
    #[must_use]
    pub fn new(endpoint_type: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self {
            kind: AddressType::DataAddress,
            endpoint_type: endpoint_type.into(),
            endpoint: Some(endpoint.into()),
            endpoint_properties: Vec::new(),
        }
    }

    /// The same address with one more property.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.endpoint_properties.push(EndpointProperty::new(name, value));
        self
    }

    /// The value of the first property of this name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&str> {
        self.endpoint_properties.iter().find(|property| property.name == name).map(|p| p.value.as_str())
    }

    /// Checks the bound on properties of an address that stands at `pointer` of a body.
    pub(super) fn check(address: Option<&Self>, pointer: &str) -> Result<(), Malformed> {
        if address.is_some_and(|address| address.endpoint_properties.len() > PROPERTIES_MAX) {
            let expected = format!("at most {PROPERTIES_MAX} properties");
            return Err(Malformed::new(format!("{pointer}/endpointProperties"), expected));
        }
        Ok(())
    }
}

impl EndpointProperty {
    /// A property.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: PropertyType::EndpointProperty, name: name.into(), value: value.into() }
    }
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<EndpointProperty>, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}

impl fmt::Debug for DataAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataAddress")
            .field("endpoint_type", &self.endpoint_type)
            .field("endpoint", &self.endpoint)
            .field("endpoint_properties", &self.endpoint_properties)
            .finish()
    }
}

impl fmt::Debug for EndpointProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=…", self.name)
    }
}
