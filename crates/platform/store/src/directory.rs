//! Published rows: what everybody may look up, across owners.

use serde::de::DeserializeOwned;

use crate::StoreError;

/// A row of the directory: unique by kind and key over the whole installation; the owner may change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryRow {
    /// What kind of fact, such as `participant`, `did-document`, `client`.
    pub kind: &'static str,
    /// The key that it is looked up by.
    pub key: String,
    /// The fact, as JSON text.
    pub value: String,
}

impl DirectoryRow {
    /// A published fact.
    ///
    /// # Panics
    /// When `value` does not serialise to JSON, which is a defect of its type.
    pub fn new(kind: &'static str, key: impl Into<String>, value: &impl serde::Serialize) -> Self {
        let value = serde_json::to_string(value).expect("a directory value serialises");
        Self { kind, key: key.into(), value }
    }
}

/// A row of the directory as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The key.
    pub key: String,
    /// Whose fact it is.
    pub owner: heddle_tenancy::Owner,
    /// The fact, as JSON text.
    pub value: String,
}

impl Published {
    /// Reads the value.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_str(&self.value).map_err(|e| StoreError::Unreadable {
            kind: "directory".to_owned(),
            id: self.key.clone(),
            reason: e.to_string(),
        })
    }
}
