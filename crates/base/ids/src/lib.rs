//! One newtype per kind of identifier, all from one macro.
//!
//! Two identifiers that are both strings on the wire (a `providerPid` and a `consumerPid`) must not be
//! swapped by accident, so each kind has a type of its own. Peer-chosen identifiers are opaque: they are
//! compared byte by byte, never parsed. What is checked is only what protects us: an identifier is not
//! empty, has at most [`ID_BYTES_MAX`] bytes and holds no control characters.
//!
//! To add a kind: one line in the `ids!` list below, in the section of the plane that owns it.
//! Deliberately absent: I/O, randomness (callers pass random bytes), meaning (what an id points to).

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// Longest identifier that is accepted, in bytes.
pub const ID_BYTES_MAX: usize = 1024;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text is empty.
    #[error("an identifier must not be empty")]
    Empty,
    /// The text has more than [`ID_BYTES_MAX`] bytes.
    #[error("an identifier has at most {ID_BYTES_MAX} bytes")]
    TooLong,
    /// The text holds a control character.
    #[error("an identifier must not contain control characters")]
    ControlCharacter,
}

fn check(text: &str) -> Result<(), InvalidId> {
    match text {
        "" => Err(InvalidId::Empty),
        _ if text.len() > ID_BYTES_MAX => Err(InvalidId::TooLong),
        _ if text.chars().any(char::is_control) => Err(InvalidId::ControlCharacter),
        _ => Ok(()),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Parses an identifier that came from outside. See [`InvalidId`] for what is refused.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text.into_boxed_str()))
            }

            /// A new identifier: a UUID (version 7) made from a time in milliseconds and ten random bytes.
            #[must_use]
            pub fn from_parts(unix_ms: u64, random: [u8; 10]) -> Self {
                let uuid = uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid();
                Self(uuid.to_string().into_boxed_str())
            }

            /// The identifier as text, exactly as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into_string()
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(text).map_err(de::Error::custom)
            }
        }
    )+};
}

ids! {
    // Management plane.

    /// An organisation: customer, bill, support. In the runtime an opaque label for logs, metrics and audit.
    TenantId;
    /// One identity of a tenant in the Tenant Manager; has one DID.
    ParticipantProfileId;
    /// A homogeneous deployment zone that hosts virtual participant agents.
    CellId;
    /// A dataspace profile of the Tenant Manager.
    DataspaceProfileId;
    /// One virtual participant agent: the runtime context of a profile in one kind of service.
    VpaId;
    /// One run of an orchestration definition.
    OrchestrationId;

    // Runtime plane: isolation and identity.

    /// The unit of isolation in the runtime: one participant context.
    ParticipantContextId;
    /// A participant of a dataspace as its identity service names it: a DID under DCP, any text under `static`.
    ParticipantId;
    /// Name of a dataspace profile of the runtime (protocol version, trusted issuers, policy semantics).
    ProfileName;
    /// A client of the token service.
    ClientId;
    /// A key pair of a participant context.
    KeyPairId;
    /// A stored credential of a participant context.
    CredentialId;
    /// An attestation of an issuer: a source of what is verified about holders.
    AttestationId;
    /// A credential definition of an issuer.
    CredentialDefinitionId;
    /// A holder that an issuer knows.
    HolderId;
    /// The holder's process id of one credential request (DCP `holderPid`).
    HolderPid;
    /// The issuer's process id of one issuance (DCP `issuerPid`).
    IssuerPid;
    /// A status list of an issuer.
    StatusListId;

    // Runtime plane: sharing.

    /// An asset; a dataset of the catalog has the same id.
    AssetId;
    /// A policy definition.
    PolicyDefinitionId;
    /// A contract definition.
    ContractDefinitionId;
    /// A CEL expression.
    CelExpressionId;
    /// An offer in a catalog (`offer.@id`).
    OfferId;
    /// Our own id of a contract negotiation; our pid on the wire.
    NegotiationId;
    /// Our own id of a contract agreement (the Management API's `@id`).
    AgreementId;
    /// The id of an agreement that both parties share (DSP `agreement.@id`, Management API `agreementId`).
    SharedAgreementId;
    /// Our own id of a transfer process; our pid on the wire, and the id of its data flow.
    TransferProcessId;
    /// The consumer's process id on the wire (DSP `consumerPid`).
    ConsumerPid;
    /// The provider's process id on the wire (DSP `providerPid`).
    ProviderPid;
    /// A control plane that a data plane knows (DPS `controlplaneId`).
    ControlPlaneId;
    /// A registered data plane.
    DataPlaneId;
    /// A data flow of a data plane (DPS `processId`, `dataFlowId`).
    DataFlowId;
    /// A message, for replay detection (DSP `@id`, DPS `messageId`).
    MessageId;

    // Platform.

    /// A job of the outbox.
    JobId;
    /// A worker process, for leases.
    WorkerId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_text_is_kept_as_it_is() {
        let pid = ProviderPid::parse("urn:uuid:ABC/ö%3A").expect("legal");
        assert_eq!(pid.as_str(), "urn:uuid:ABC/ö%3A");
        assert_eq!(serde_json::to_string(&pid).expect("serialises"), r#""urn:uuid:ABC/ö%3A""#);
    }

    #[test]
    fn what_could_hurt_is_refused() {
        assert_eq!(AssetId::parse(""), Err(InvalidId::Empty));
        assert_eq!(AssetId::parse("a\nb"), Err(InvalidId::ControlCharacter));
        assert_eq!(AssetId::parse("x".repeat(ID_BYTES_MAX + 1)), Err(InvalidId::TooLong));
        assert!(serde_json::from_str::<AssetId>("\"\"").is_err());
    }

    #[test]
    fn new_ids_sort_by_time() {
        let early = JobId::from_parts(1, [255; 10]);
        let late = JobId::from_parts(2, [0; 10]);
        assert!(early < late);
        assert_eq!(early.as_str().len(), 36);
    }
}
