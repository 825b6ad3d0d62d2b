//! Version discovery, `GET …/.well-known/dspace-version` (DSP 2025-1 §"Exposure of Dataspace Protocol
//! Versions").

use serde::{Deserialize, Serialize};

use super::{Malformed, Wire};

/// The version of the protocol that this crate speaks.
pub const VERSION: &str = "2025-1";

/// The versions that a connector speaks. Plain JSON: no `@context`, no `@type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionResponse {
    /// At least one.
    pub protocol_versions: Vec<Version>,
}

impl Wire for VersionResponse {
    fn check(&self) -> Result<(), Malformed> {
        if self.protocol_versions.is_empty() {
            return Err(Malformed::at("/protocolVersions", "at least one version"));
        }
        Ok(())
    }
}

impl VersionResponse {
    /// The entries of version [`VERSION`]; none means that the two connectors cannot talk.
    pub fn supported(&self) -> impl Iterator<Item = &Version> {
        self.protocol_versions.iter().filter(|version| version.version == VERSION)
    }
}

/// How messages travel. HTTPS is the only binding of DSP 2025-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Binding {
    /// The HTTPS binding.
    #[serde(rename = "HTTPS")]
    Https,
}

/// One version at one path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Name of the version, such as `2025-1`.
    pub version: String,
    /// Path to append to the root of the version endpoint.
    pub path: String,
    /// The binding.
    pub binding: Binding,
    /// Groups the endpoints of one data service across versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    /// What participant ids are, such as `did:web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier_type: Option<String>,
    /// How participants prove who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
}

/// An authentication protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Auth {
    /// Name of the protocol, such as `DCP`.
    pub protocol: String,
    /// Its version.
    pub version: String,
    /// Its profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profile: Vec<String>,
}
