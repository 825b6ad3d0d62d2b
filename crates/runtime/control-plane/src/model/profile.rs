//! A dataspace as the runtime knows it.

use heddle_clock::Timestamp;
use heddle_ids::ProfileName;
use heddle_store::{Aggregate, DirectoryRow, filter::Properties};
use serde::{Deserialize, Serialize};

/// The protocol that a dataspace speaks (Management API `DataspaceProfile.protocol`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtocolBinding {
    /// `2025-1`.
    pub version: String,
    /// Path below the participant's protocol base; the profile's name after a slash unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `HTTPS`.
    pub binding: String,
    /// The namespace of the messages.
    pub namespace: String,
}

/// An issuer whose credentials count in a dataspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileIssuer {
    /// Its DID.
    pub id: String,
    /// The credential types that it is trusted for; `*` is all.
    pub supported_types: Vec<String>,
}

/// How peers prove who they are in a dataspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentityService {
    /// The Decentralized Claims Protocol.
    #[default]
    Dcp,
    /// A table of Authorization values; development only.
    Static,
}

/// A dataspace profile: protocol, trusted issuers, how identities are proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataspaceProfile {
    /// Its name: the last segment of its participants' protocol addresses.
    pub name: ProfileName,
    /// The protocol.
    pub protocol: ProtocolBinding,
    /// JSON-LD contexts, for the record; messages carry the protocol's own.
    #[serde(default)]
    pub contexts: Vec<String>,
    /// Whose credentials count.
    #[serde(default)]
    pub trusted_issuers: Vec<ProfileIssuer>,
    /// How peers prove who they are.
    #[serde(default)]
    pub identity: IdentityService,
    /// Demands well-formed relationships and credentials of every peer, where the field reads leniently.
    #[serde(default)]
    pub strict: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl DataspaceProfile {
    /// Kind of its directory row.
    pub const DIRECTORY: &'static str = "dataspace-profile";

    /// What everybody may know: all of it.
    #[must_use]
    pub fn published(&self) -> DirectoryRow {
        DirectoryRow::new(Self::DIRECTORY, self.name.as_str(), self)
    }
}

impl Aggregate for DataspaceProfile {
    const KIND: &'static str = "dataspace-profile";

    fn id(&self) -> &str {
        self.name.as_str()
    }

    fn properties(&self) -> Option<Properties> {
        let properties = Properties::default()
            .with_text("name", self.name.as_str())
            .with_number("createdAt", self.created_at.as_millis())
            .with("identity", &serde_json::to_value(self.identity).unwrap_or_default())
            .with("protocol", &serde_json::to_value(&self.protocol).unwrap_or_default());
        Some(properties)
    }
}
