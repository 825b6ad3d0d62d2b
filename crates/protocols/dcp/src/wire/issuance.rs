//! Requesting and delivering credentials (DCP 1.0 §6.4, §6.5, §6.8).

use std::{collections::BTreeSet, fmt};

use heddle_ids::{HolderPid, IssuerPid};
use serde::{Deserialize, Deserializer, Serialize};

use super::{DcpContext, Malformed, Message, Named, Tag, bounded, filled};

/// A holder asks an issuer for credentials (DCP 1.0 §6.4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialRequestMessage {
    #[serde(rename = "@context")]
    context: DcpContext,
    #[serde(rename = "type", alias = "@type")]
    kind: Tag<Self>,
    /// The holder's id of this request.
    pub holder_pid: HolderPid,
    /// What is asked for: 1 to [`LIST_ENTRIES_MAX`](super::LIST_ENTRIES_MAX) entries, each once.
    pub credentials: Vec<RequestedCredential>,
}

/// One entry of a [`CredentialRequestMessage`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedCredential {
    /// The `id` of a credential object in the issuer's metadata.
    pub id: String,
}

impl CredentialRequestMessage {
    /// Asks for the credential objects with these ids.
    #[must_use]
    pub fn new(holder_pid: HolderPid, ids: Vec<String>) -> Self {
        let credentials = ids.into_iter().map(|id| RequestedCredential { id }).collect();
        Self { context: DcpContext, kind: Tag::default(), holder_pid, credentials }
    }
}

impl Named for CredentialRequestMessage {
    const NAME: &'static str = "CredentialRequestMessage";
}

impl Message for CredentialRequestMessage {
    fn validate(&self) -> Result<(), Malformed> {
        bounded("/credentials", &self.credentials, "credential")?;
        let mut seen = BTreeSet::new();
        for (index, credential) in self.credentials.iter().enumerate() {
            let pointer = format!("/credentials/{index}/id");
            filled(&pointer, &credential.id)?;
            if !seen.insert(&credential.id) {
                return Err(Malformed::at(pointer, "an id that is not asked for twice"));
            }
        }
        Ok(())
    }
}

/// Whether a delivery brings credentials. It covers the whole request: one that could not be issued rejects
/// all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryStatus {
    /// The credentials are in the message.
    Issued,
    /// There will be none.
    Rejected,
}

/// An issuer delivers what was requested, or says that it will not (DCP 1.0 §6.5.1).
///
/// The published schema lets `holderPid` be absent; here it is required, because without it a credential
/// service cannot tell which request is answered, and the conformance suite expects a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialMessage {
    #[serde(rename = "@context")]
    context: DcpContext,
    #[serde(rename = "type", alias = "@type")]
    kind: Tag<Self>,
    /// The issuer's id of this issuance.
    pub issuer_pid: IssuerPid,
    /// The holder's id of the request that is answered.
    pub holder_pid: HolderPid,
    /// Issued or rejected.
    pub status: DeliveryStatus,
    /// The credentials: 1 to [`LIST_ENTRIES_MAX`](super::LIST_ENTRIES_MAX) when issued, none when rejected.
    #[serde(default, deserialize_with = "null_as_empty", skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<CredentialContainer>,
    /// Why the request was rejected, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection_reason: Option<String>,
}

fn null_as_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl CredentialMessage {
    /// Delivers credentials.
    #[must_use]
    pub fn issued(
        issuer_pid: IssuerPid,
        holder_pid: HolderPid,
        credentials: Vec<CredentialContainer>,
    ) -> Self {
        Self {
            context: DcpContext,
            kind: Tag::default(),
            issuer_pid,
            holder_pid,
            status: DeliveryStatus::Issued,
            credentials,
            rejection_reason: None,
        }
    }

    /// Says that there will be no credentials.
    #[must_use]
    pub fn rejected(issuer_pid: IssuerPid, holder_pid: HolderPid, reason: impl Into<String>) -> Self {
        Self {
            status: DeliveryStatus::Rejected,
            rejection_reason: Some(reason.into()),
            ..Self::issued(issuer_pid, holder_pid, Vec::new())
        }
    }
}

impl Named for CredentialMessage {
    const NAME: &'static str = "CredentialMessage";
}

impl Message for CredentialMessage {
    fn validate(&self) -> Result<(), Malformed> {
        match self.status {
            DeliveryStatus::Rejected if self.credentials.is_empty() => Ok(()),
            DeliveryStatus::Rejected => Err(Malformed::at("/credentials", "no credentials when rejected")),
            DeliveryStatus::Issued => bounded("/credentials", &self.credentials, "credential"),
        }
    }
}

/// One delivered credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialContainer {
    /// The type of the credential. Informative: peers are known to send `VerifiableCredential` here, so the
    /// types inside the credential decide.
    pub credential_type: String,
    /// The credential in the form that `format` names; for the JWT profiles its compact form.
    pub payload: String,
    /// The alias of a profile of DCP 1.0 §7, such as `vc11-sl2021/jwt`.
    pub format: String,
}

/// Credentials carry personal claims: the payload does not reach logs.
impl fmt::Debug for CredentialContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialContainer")
            .field("credential_type", &self.credential_type)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

/// How far an issuance is, as the issuer tells the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RequestStatus {
    /// Accepted, not decided or not delivered yet.
    Received,
    /// There will be no credentials.
    Rejected,
    /// The credentials were delivered.
    Issued,
}

/// The answer to a question after a request's status (DCP 1.0 §6.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialStatus {
    #[serde(rename = "@context")]
    context: DcpContext,
    #[serde(rename = "type", alias = "@type")]
    kind: Tag<Self>,
    /// The issuer's id of the issuance.
    pub issuer_pid: IssuerPid,
    /// The holder's id of the request.
    pub holder_pid: HolderPid,
    /// How far it is.
    pub status: RequestStatus,
}

impl CredentialStatus {
    /// The status of one issuance.
    #[must_use]
    pub fn new(issuer_pid: IssuerPid, holder_pid: HolderPid, status: RequestStatus) -> Self {
        Self { context: DcpContext, kind: Tag::default(), issuer_pid, holder_pid, status }
    }
}

impl Named for CredentialStatus {
    const NAME: &'static str = "CredentialStatus";
}

impl Message for CredentialStatus {
    fn validate(&self) -> Result<(), Malformed> {
        Ok(())
    }
}
