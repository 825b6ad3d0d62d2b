//! Where the status of a credential is published (`credentialStatus`).

use serde::Serialize;
use serde_json::Value;

use crate::{
    CredentialError,
    error::member,
    shape::{self, Object},
};

/// The specification that a status entry and its list follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusKind {
    /// StatusList2021.
    StatusList2021,
    /// Bitstring Status List 1.0.
    Bitstring,
}

impl StatusKind {
    /// The type of an entry in a credential.
    #[must_use]
    pub const fn entry_type(self) -> &'static str {
        match self {
            Self::StatusList2021 => "StatusList2021Entry",
            Self::Bitstring => "BitstringStatusListEntry",
        }
    }

    /// The type of the subject of a status list credential.
    #[must_use]
    pub const fn list_type(self) -> &'static str {
        match self {
            Self::StatusList2021 => "StatusList2021",
            Self::Bitstring => "BitstringStatusList",
        }
    }

    /// The type of a status list credential.
    #[must_use]
    pub const fn credential_type(self) -> &'static str {
        match self {
            Self::StatusList2021 => "StatusList2021Credential",
            Self::Bitstring => "BitstringStatusListCredential",
        }
    }

    /// The context that defines these types for VC 1.1.
    #[must_use]
    pub const fn context(self) -> &'static str {
        match self {
            Self::StatusList2021 => "https://w3id.org/vc/status-list/2021/v1",
            Self::Bitstring => "https://www.w3.org/ns/credentials/status/v1",
        }
    }
}

/// What a set bit means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusPurpose {
    /// The credential is revoked, for good.
    Revocation,
    /// The credential is suspended, and may be good again.
    Suspension,
}

impl StatusPurpose {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
        }
    }

    /// Reads a name on the wire; `None` for purposes that are not supported.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Revocation, Self::Suspension].into_iter().find(|purpose| purpose.name() == name)
    }
}

/// A credential's place in a status list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEntry {
    /// The entry's id, which has no meaning.
    pub id: Option<String>,
    /// The specification that it follows.
    pub kind: StatusKind,
    /// What a set bit means.
    pub purpose: StatusPurpose,
    /// The index in the list. On the wire a string; a number is read as well.
    pub index: u64,
    /// The URL of the list. Whether it may be fetched is for the caller to judge.
    pub list_url: String,
}

impl StatusEntry {
    /// Reads an entry. Whatever is not understood is refused: an unknown status is not a good one.
    pub(crate) fn read(entry: &Object, at: &str) -> Result<Self, CredentialError> {
        let kind = match shape::required(entry, "type", at)? {
            "StatusList2021Entry" => StatusKind::StatusList2021,
            "BitstringStatusListEntry" => StatusKind::Bitstring,
            _ => return Err(CredentialError::StatusUnsupported("the type of its status entry is not known")),
        };
        let purpose = StatusPurpose::parse(shape::required(entry, "statusPurpose", at)?)
            .ok_or(CredentialError::StatusUnsupported("its purpose is neither revocation nor suspension"))?;
        if entry.get("statusSize").is_some_and(|size| size.as_u64() != Some(1)) {
            return Err(CredentialError::StatusUnsupported("its status has more than one bit"));
        }
        let index = index(entry.get("statusListIndex"))
            .ok_or_else(|| member(format!("{at}/statusListIndex"), "a whole number, as a string"))?;
        let list_url = shape::required(entry, "statusListCredential", at)?.to_owned();
        Ok(Self { id: shape::text(entry, "id", at)?.map(str::to_owned), kind, purpose, index, list_url })
    }
}

fn index(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireEntry<'a> {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    status_purpose: &'static str,
    status_list_index: String,
    status_list_credential: &'a str,
}

impl<'a> From<&'a StatusEntry> for WireEntry<'a> {
    fn from(entry: &'a StatusEntry) -> Self {
        Self {
            id: entry.id.clone().unwrap_or_else(|| format!("{}#{}", entry.list_url, entry.index)),
            kind: entry.kind.entry_type(),
            status_purpose: entry.purpose.name(),
            status_list_index: entry.index.to_string(),
            status_list_credential: &entry.list_url,
        }
    }
}
