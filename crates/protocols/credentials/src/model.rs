//! What a credential says, whatever its format.

use std::fmt;

use heddle_clock::Timestamp;
use serde_json::{Map, Value};

use crate::{
    CredentialError, DataModel, StatusEntry,
    error::member,
    shape::{self, Object},
};

/// A credential, independent of its format. Reading it does not make it true: see
/// [`crate::VerifiedCredential`] for one whose signature was checked. `Debug` shows nothing of the subject.
#[derive(Clone, PartialEq)]
pub struct VerifiableCredential {
    /// The data model that it follows.
    pub data_model: DataModel,
    /// Its id, any text (deployed issuers use bare UUIDs).
    pub id: Option<String>,
    /// The contexts that are texts, in order.
    pub contexts: Vec<String>,
    /// The types, in order, as they are written: `VerifiableCredential` should be among them.
    pub types: Vec<String>,
    /// Who issued it: a DID.
    pub issuer: String,
    /// What it says, and of whom (`id`). At least one.
    pub subjects: Vec<Map<String, Value>>,
    /// From when it is valid (`issuanceDate` or `validFrom`; the latest date that it or its token names).
    pub valid_from: Option<Timestamp>,
    /// Until when it is valid (`expirationDate` or `validUntil`; the earliest date that either names).
    pub valid_until: Option<Timestamp>,
    /// Where its status is published.
    pub status: Vec<StatusEntry>,
    /// The schemas that its subject follows.
    pub schemas: Vec<Schema>,
    /// All of it, as it was read.
    pub raw: Map<String, Value>,
}

/// A schema that a credential names (`credentialSchema`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Where the schema is.
    pub id: String,
    /// How it is to be applied, such as `JsonSchema`.
    pub kind: String,
}

/// What the claims around a VC 1.1 credential say in its stead (VC 1.1 §6.3.1).
#[derive(Debug, Default)]
pub(crate) struct Surrounding<'a> {
    pub(crate) issuer: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
}

impl VerifiableCredential {
    /// Whether it has this type, exactly.
    #[must_use]
    pub fn is_of_type(&self, kind: &str) -> bool {
        self.types.iter().any(|own| own == kind)
    }

    /// The ids of its subjects.
    pub fn subject_ids(&self) -> impl Iterator<Item = Option<&str>> {
        self.subjects.iter().map(|subject| subject.get("id").and_then(Value::as_str))
    }

    /// A name for messages: its id, or else its types.
    #[must_use]
    pub fn label(&self) -> String {
        self.id.clone().unwrap_or_else(|| self.types.join(" "))
    }

    /// Reads a credential. `at` is where it stands within the claims, for messages.
    pub(crate) fn read(
        raw: &Object,
        at: &str,
        data_model: DataModel,
        surrounding: &Surrounding<'_>,
    ) -> Result<Self, CredentialError> {
        let (from, until) = match data_model {
            DataModel::V1 => ("issuanceDate", "expirationDate"),
            DataModel::V2 => ("validFrom", "validUntil"),
        };
        let types = shape::texts(raw, "type", at)?;
        if types.is_empty() {
            return Err(member(format!("{at}/type"), "a type or an array of types"));
        }
        let issuer = shape::identifier(raw, "issuer", at)?.or_else(|| surrounding.issuer.map(str::to_owned));
        let schema = |schema: &Object| -> Result<Schema, CredentialError> {
            let at = format!("{at}/credentialSchema");
            let text = |name| shape::required(schema, name, &at).map(str::to_owned);
            Ok(Schema { id: text("id")?, kind: text("type")? })
        };
        let status = |entry| StatusEntry::read(entry, &format!("{at}/credentialStatus"));
        Ok(Self {
            data_model,
            id: shape::text(raw, "id", at)?.or(surrounding.id).map(str::to_owned),
            contexts: contexts(raw),
            types,
            issuer: issuer.ok_or_else(|| member(format!("{at}/issuer"), "a DID, or an object with an id"))?,
            subjects: subjects(raw, at, surrounding.subject)?,
            valid_from: shape::time(raw, from, at)?.max(surrounding.not_before),
            valid_until: earlier(shape::time(raw, until, at)?, surrounding.expires_at),
            status: shape::objects(raw, "credentialStatus", at)?
                .into_iter()
                .map(status)
                .collect::<Result<_, _>>()?,
            schemas: shape::objects(raw, "credentialSchema", at)?
                .into_iter()
                .map(schema)
                .collect::<Result<_, _>>()?,
            raw: raw.clone(),
        })
    }
}

impl fmt::Debug for VerifiableCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("VerifiableCredential");
        shown.field("id", &self.id).field("types", &self.types).field("issuer", &self.issuer);
        shown.finish_non_exhaustive()
    }
}

/// Contexts have no meaning here beyond being the expected ones, so any shape is read.
fn contexts(raw: &Object) -> Vec<String> {
    match raw.get("@context") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn subjects(raw: &Object, at: &str, sub: Option<&str>) -> Result<Vec<Object>, CredentialError> {
    let mut subjects: Vec<Object> =
        shape::objects(raw, "credentialSubject", at)?.into_iter().cloned().collect();
    if subjects.is_empty() {
        return Err(member(format!("{at}/credentialSubject"), "an object or an array of objects"));
    }
    for subject in &subjects {
        shape::text(subject, "id", &format!("{at}/credentialSubject"))?;
    }
    // The `sub` claim stands for the id of a single subject that does not name its own.
    if let ([subject], Some(sub)) = (subjects.as_mut_slice(), sub)
        && !subject.contains_key("id")
    {
        subject.insert("id".to_owned(), sub.into());
    }
    Ok(subjects)
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
