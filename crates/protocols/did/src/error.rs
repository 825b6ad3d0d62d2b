//! Why an identifier, a document or a choice of key is refused.

use heddle_jose::JoseError;

/// Why an identifier, a document or a choice of key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DidError {
    /// The text is no DID.
    #[error("this is no DID such as did:web:example.com: {0}")]
    Malformed(&'static str),
    /// The text is no DID URL of the form `did#fragment`.
    #[error("this is no DID URL of the form did:method:id#fragment")]
    MalformedUrl,
    /// The method is not supported.
    #[error("DIDs of the method '{0}' are not supported; use did:web, or did:key with P-256 or Ed25519")]
    Method(String),
    /// The DID cannot be mapped to a location, or the location to a DID.
    #[error("this did:web does not name a usable location: {0}")]
    Location(&'static str),
    /// The document is not usable JSON of the expected shape.
    #[error("the DID document is not usable: {0}")]
    Document(String),
    /// The document is somebody else's.
    #[error("the DID document belongs to '{found}', not to '{expected}'")]
    OtherSubject {
        /// The DID that was looked up.
        expected: String,
        /// The DID that the document names.
        found: String,
    },
    /// The `kid` is not a DID URL of the document's subject.
    #[error("the key id is no DID URL of '{0}'")]
    ForeignKey(String),
    /// No verification method has the `kid`, or the document has none at all.
    #[error("the DID document of '{0}' has no such verification method")]
    NoMethod(String),
    /// Without a `kid` there must be exactly one verification method, and ids must be unique.
    #[error(
        "the DID document of '{0}' has several verification methods that could be meant; a key id must tell"
    )]
    Ambiguous(String),
    /// The verification method is not listed under the relationship that the use needs.
    #[error("the verification method '{method}' is not listed under '{relationship}'")]
    Relationship {
        /// The id of the verification method.
        method: String,
        /// The relationship's name in a DID document.
        relationship: &'static str,
    },
    /// The verification method is controlled by somebody else.
    #[error("the verification method '{0}' is not controlled by the DID of its document")]
    Controller(String),
    /// The verification method holds no usable key.
    #[error("the verification method '{method}' holds no usable key: {reason}")]
    Key {
        /// The id of the verification method.
        method: String,
        /// Why.
        reason: JoseError,
    },
}
