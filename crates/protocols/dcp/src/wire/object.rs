//! What an issuer offers: credential objects, offers and metadata (DCP 1.0 §6.6, §6.7).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{DcpContext, LIST_ENTRIES_MAX, Malformed, Message, Named, Tag, bounded, filled};

/// A kind of credential that an issuer gives out (DCP 1.0 §6.6.2).
///
/// In an offer it may be sparse: the `id` alone, the rest to be looked up in the issuer's metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialObject {
    #[serde(rename = "type", alias = "@type", default)]
    kind: Tag<Self>,
    /// What a holder puts into a request. A URI by the schema; compared as text.
    #[serde(alias = "@id")]
    pub id: String,
    /// The type of the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_type: Option<String>,
    /// Address of the JSON schema of the credential's subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_schema: Option<String>,
    /// Why it is offered, such as `reissue` or `proof-key-revocation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer_reason: Option<String>,
    /// How the holder can be bound, such as `did:web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding_methods: Option<Vec<String>>,
    /// Alias of a profile of DCP 1.0 §7, such as `vc11-sl2021/jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// A presentation definition that the holder must satisfy first; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuance_policy: Option<Map<String, Value>>,
}

impl CredentialObject {
    /// A sparse object: its id alone.
    #[must_use]
    pub fn sparse(id: impl Into<String>) -> Self {
        Self {
            kind: Tag::default(),
            id: id.into(),
            credential_type: None,
            credential_schema: None,
            offer_reason: None,
            binding_methods: None,
            profile: None,
            issuance_policy: None,
        }
    }
}

impl Named for CredentialObject {
    const NAME: &'static str = "CredentialObject";
}

fn check_ids(pointer: &str, objects: &[CredentialObject]) -> Result<(), Malformed> {
    for (index, object) in objects.iter().enumerate() {
        filled(format_args!("{pointer}/{index}/id"), &object.id)?;
    }
    Ok(())
}

/// An issuer offers credentials to a holder (DCP 1.0 §6.6.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialOfferMessage {
    #[serde(rename = "@context")]
    context: DcpContext,
    #[serde(rename = "type", alias = "@type")]
    kind: Tag<Self>,
    /// The DID of the issuer. Must be the one that the self-issued token of the offer proves.
    pub issuer: String,
    /// What is offered: 1 to [`LIST_ENTRIES_MAX`] entries.
    pub credentials: Vec<CredentialObject>,
}

impl CredentialOfferMessage {
    /// Offers these credentials.
    #[must_use]
    pub fn new(issuer: impl Into<String>, credentials: Vec<CredentialObject>) -> Self {
        Self { context: DcpContext, kind: Tag::default(), issuer: issuer.into(), credentials }
    }
}

impl Named for CredentialOfferMessage {
    const NAME: &'static str = "CredentialOfferMessage";
}

impl Message for CredentialOfferMessage {
    fn validate(&self) -> Result<(), Malformed> {
        filled("/issuer", &self.issuer)?;
        bounded("/credentials", &self.credentials, "credential object")?;
        check_ids("/credentials", &self.credentials)
    }
}

/// What an issuer can give out (DCP 1.0 §6.7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuerMetadata {
    #[serde(rename = "@context")]
    context: DcpContext,
    #[serde(rename = "type", alias = "@type")]
    kind: Tag<Self>,
    /// The DID of the issuer.
    pub issuer: String,
    /// The credentials that it issues, at most [`LIST_ENTRIES_MAX`].
    pub credentials_supported: Vec<CredentialObject>,
}

impl IssuerMetadata {
    /// The metadata of one issuer.
    #[must_use]
    pub fn new(issuer: impl Into<String>, credentials_supported: Vec<CredentialObject>) -> Self {
        Self { context: DcpContext, kind: Tag::default(), issuer: issuer.into(), credentials_supported }
    }

    /// The object that offers a credential of this type under this profile.
    #[must_use]
    pub fn object(&self, credential_type: &str, profile: &str) -> Option<&CredentialObject> {
        self.credentials_supported.iter().find(|object| {
            object.credential_type.as_deref() == Some(credential_type)
                && object.profile.as_deref() == Some(profile)
        })
    }
}

impl Named for IssuerMetadata {
    const NAME: &'static str = "IssuerMetadata";
}

impl Message for IssuerMetadata {
    fn validate(&self) -> Result<(), Malformed> {
        filled("/issuer", &self.issuer)?;
        if self.credentials_supported.len() > LIST_ENTRIES_MAX {
            return Err(Malformed::at(
                "/credentialsSupported",
                format!("at most {LIST_ENTRIES_MAX} entries"),
            ));
        }
        check_ids("/credentialsSupported", &self.credentials_supported)
    }
}
