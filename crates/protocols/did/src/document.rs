//! DID documents (DID Core 1.0 §5) and what they say about keys and services.

use heddle_jose::Jwk;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::{Did, DidError, key};

mod selection;
mod wire;

pub use selection::Strictness;

/// The largest document that is read, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// The most verification methods, the most services, and the most entries under one relationship.
pub const ENTRIES_MAX: usize = 128;

/// What a verification method may be used for (DID Core 1.0 §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relationship {
    /// To prove to be the subject: presentations.
    Authentication,
    /// To make statements: credentials.
    AssertionMethod,
    /// To use what the subject may do: self-issued ID tokens (DCP 1.0 §4.3.3).
    CapabilityInvocation,
}

impl Relationship {
    /// Every relationship.
    pub const ALL: [Self; 3] = [Self::Authentication, Self::AssertionMethod, Self::CapabilityInvocation];

    /// The relationship's name in a document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::AssertionMethod => "assertionMethod",
            Self::CapabilityInvocation => "capabilityInvocation",
        }
    }
}

/// A DID document.
///
/// Read leniently: services and verification methods of unknown kinds are kept, unknown members are ignored,
/// entries that are not objects are skipped. Written strictly: only the members that the strictest known
/// reader accepts, relationships as arrays of ids.
#[derive(Debug, Clone, PartialEq)]
pub struct DidDocument {
    /// `@context`, as it was read; what is written for a document of our own.
    pub context: Value,
    /// The subject.
    pub id: Did,
    /// The services.
    pub service: Vec<Service>,
    /// The verification methods, those embedded in relationships included.
    pub verification_method: Vec<VerificationMethod>,
    /// Ids of verification methods, each absolute.
    pub authentication: Vec<String>,
    /// Ids of verification methods, each absolute.
    pub assertion_method: Vec<String>,
    /// Ids of verification methods, each absolute.
    pub capability_invocation: Vec<String>,
}

/// A service of a document (DID Core 1.0 §5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The service's id.
    pub id: String,
    /// Its type, such as `CredentialService`.
    pub kind: String,
    /// Its base URL, as it was read: whether it may be contacted is for the caller to judge.
    pub endpoint: String,
}

/// A verification method of a document (DID Core 1.0 §5.2).
#[derive(Debug, Clone, PartialEq)]
pub struct VerificationMethod {
    /// The id, absolute: a DID URL of the document's subject or of somebody else.
    pub id: String,
    /// Its type, such as `JsonWebKey2020`. Not judged: the key says what it is.
    pub kind: String,
    /// Who controls it.
    pub controller: Option<String>,
    public_key_jwk: Option<Value>,
    public_key_multibase: Option<String>,
}

impl DidDocument {
    /// A document without services and keys.
    #[must_use]
    pub fn new(id: Did) -> Self {
        Self {
            context: wire::own_context(),
            id,
            service: Vec::new(),
            verification_method: Vec::new(),
            authentication: Vec::new(),
            assertion_method: Vec::new(),
            capability_invocation: Vec::new(),
        }
    }

    /// Adds a service.
    #[must_use]
    pub fn with_service(
        mut self,
        fragment: &str,
        kind: impl Into<String>,
        endpoint: impl Into<String>,
    ) -> Self {
        let id = self.id.url(fragment);
        self.service.push(Service { id, kind: kind.into(), endpoint: endpoint.into() });
        self
    }

    /// Adds a key as `JsonWebKey2020`, controlled by the subject, and lists it under the relationships.
    #[must_use]
    pub fn with_key(mut self, fragment: &str, key: Jwk, relationships: &[Relationship]) -> Self {
        let id = self.id.url(fragment);
        for relationship in relationships {
            self.listed_mut(*relationship).push(id.clone());
        }
        self.verification_method.push(VerificationMethod {
            id: id.clone(),
            kind: "JsonWebKey2020".to_owned(),
            controller: Some(self.id.to_string()),
            public_key_jwk: serde_json::to_value(key.with_kid(id)).ok(),
            public_key_multibase: None,
        });
        self
    }

    /// Reads the document of `expected` from what was fetched for it.
    ///
    /// # Errors
    /// [`DidError::Document`] when it is larger than [`DOCUMENT_BYTES_MAX`], no JSON, names a member twice,
    /// or has the wrong shape; [`DidError::OtherSubject`] when its `id` is not `expected` (DCP 1.0 §4.3.3).
    pub fn parse_for(expected: &Did, bytes: &[u8]) -> Result<Self, DidError> {
        let document = Self::parse(bytes)?;
        if document.id != *expected {
            let (expected, found) = (expected.to_string(), document.id.to_string());
            return Err(DidError::OtherSubject { expected, found });
        }
        Ok(document)
    }

    /// Reads a document, whoever's it is.
    ///
    /// # Errors
    /// [`DidError::Document`], as [`DidDocument::parse_for`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DidError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(DidError::Document(format!("it has more than {DOCUMENT_BYTES_MAX} bytes")));
        }
        wire::read(heddle_jose::strict::parse(bytes).map_err(DidError::Document)?)
    }

    /// The first service of a type.
    #[must_use]
    pub fn service_of_type(&self, kind: &str) -> Option<&Service> {
        self.service.iter().find(|service| service.kind == kind)
    }

    /// The ids that are listed under a relationship.
    #[must_use]
    pub fn listed(&self, relationship: Relationship) -> &[String] {
        match relationship {
            Relationship::Authentication => &self.authentication,
            Relationship::AssertionMethod => &self.assertion_method,
            Relationship::CapabilityInvocation => &self.capability_invocation,
        }
    }

    const fn listed_mut(&mut self, relationship: Relationship) -> &mut Vec<String> {
        match relationship {
            Relationship::Authentication => &mut self.authentication,
            Relationship::AssertionMethod => &mut self.assertion_method,
            Relationship::CapabilityInvocation => &mut self.capability_invocation,
        }
    }
}

impl VerificationMethod {
    /// The key, from `publicKeyJwk` or else `publicKeyMultibase`.
    ///
    /// # Errors
    /// [`DidError::Key`] when there is none of a supported type, or the document publishes a secret.
    pub fn jwk(&self) -> Result<Jwk, DidError> {
        let key = match (&self.public_key_jwk, &self.public_key_multibase) {
            (Some(jwk), _) => Jwk::from_value(jwk),
            (None, Some(multibase)) => key::from_multibase(multibase),
            (None, None) => {
                Err(heddle_jose::JoseError::Key("it has neither 'publicKeyJwk' nor 'publicKeyMultibase'"))
            }
        };
        key.map_err(|reason| DidError::Key { method: self.id.clone(), reason })
    }
}

impl Serialize for DidDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        wire::write(self).serialize(serializer)
    }
}

/// Prefer [`DidDocument::parse_for`] for what a peer sent: it refuses members that are named twice.
impl<'de> Deserialize<'de> for DidDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::read(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
