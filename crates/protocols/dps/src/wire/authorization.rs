//! How one plane proves itself to the other.

use std::fmt;

use serde::{Deserialize, Serialize, de};
use serde_json::{Map, Value};

/// An authorization profile and its properties (DPS 1.0, `AuthorizationEntry`), such as
/// `oauth2_client_credentials` with `tokenEndpoint`, `clientId` and `clientSecret`.
///
/// Its properties are secret: `Debug` shows their names only.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct AuthorizationEntry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    properties: Map<String, Value>,
}

impl AuthorizationEntry {
    /// An entry of a profile, without properties.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), properties: Map::new() }
    }

    /// The same entry with a property set. Setting `type` has no effect: the profile is fixed by [`Self::new`].
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let name = name.into();
        if name != "type" {
            self.properties.insert(name, value.into());
        }
        self
    }

    /// The authorization profile (`type`).
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// A property that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.properties.get(name)?.as_str()
    }

    /// All properties, without `type`.
    #[must_use]
    pub const fn properties(&self) -> &Map<String, Value> {
        &self.properties
    }
}

impl<'de> Deserialize<'de> for AuthorizationEntry {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut properties = Map::deserialize(deserializer)?;
        match properties.remove("type") {
            Some(Value::String(kind)) => Ok(Self { kind, properties }),
            _ => Err(de::Error::custom("an authorization entry that names its profile in `type`")),
        }
    }
}

impl fmt::Debug for AuthorizationEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.properties.keys().collect();
        f.debug_struct("AuthorizationEntry").field("type", &self.kind).field("properties", &names).finish()
    }
}
