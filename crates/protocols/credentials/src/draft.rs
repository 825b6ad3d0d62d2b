//! What an issuer wants to say.

use std::fmt;

use heddle_clock::Timestamp;
use serde_json::{Map, Value};

use crate::{Schema, StatusEntry};

/// A credential to be issued. `Debug` shows nothing of the subject.
#[derive(Clone, PartialEq)]
pub struct CredentialDraft {
    /// Its id, a URI such as `urn:uuid:…`.
    pub id: String,
    /// Contexts beyond the base context of the data model.
    pub contexts: Vec<String>,
    /// Types beyond `VerifiableCredential`.
    pub types: Vec<String>,
    /// The issuer's DID.
    pub issuer: String,
    /// The subject's DID.
    pub subject: String,
    /// What is said of the subject. A member `id` is replaced by `subject`.
    pub claims: Map<String, Value>,
    /// From when it is valid; rounded down to the second.
    pub issued_at: Timestamp,
    /// Until when it is valid; rounded down to the second.
    pub valid_until: Timestamp,
    /// Where its status is published.
    pub status: Option<StatusEntry>,
    /// The schema that the subject follows.
    pub schema: Option<Schema>,
}

impl fmt::Debug for CredentialDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("CredentialDraft");
        shown.field("id", &self.id).field("types", &self.types).field("issuer", &self.issuer);
        shown.finish_non_exhaustive()
    }
}
