//! What was issued: the signed credential, and where its status is.

use heddle_clock::Timestamp;
use heddle_credentials::Format;
use heddle_did::Did;
use heddle_ids::{CredentialDefinitionId, CredentialId, HolderId, IssuerPid, StatusListId};
use heddle_store::{Aggregate, Columns};
use serde::{Deserialize, Serialize};

/// Whether a credential is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    /// It was signed.
    Issued,
    /// It was taken back, for good.
    Revoked,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Issued => "ISSUED",
            Self::Revoked => "REVOKED",
        }
    }
}

/// A place in a status list. It belongs to one credential for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusPlace {
    pub(crate) list: StatusListId,
    pub(crate) index: u64,
}

/// The aggregate. Stored before the credential leaves; delivered as it is, however often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IssuedCredential {
    pub(crate) id: CredentialId,
    pub(crate) process: IssuerPid,
    pub(crate) definition: CredentialDefinitionId,
    pub(crate) holder_id: HolderId,
    pub(crate) holder_did: Did,
    pub(crate) credential_type: String,
    pub(crate) format: Format,
    pub(crate) token: String,
    pub(crate) status: StatusPlace,
    pub(crate) state: State,
    pub(crate) issued_at: Timestamp,
    pub(crate) valid_until: Timestamp,
    #[serde(default)]
    pub(crate) revoked_at: Option<Timestamp>,
}

impl IssuedCredential {
    /// The `id` within the credential.
    pub(crate) fn uri(&self) -> String {
        uri(&self.id)
    }
}

/// The `id` within the credential that is stored under `id`.
pub(crate) fn uri(id: &CredentialId) -> String {
    format!("urn:uuid:{id}")
}

impl Aggregate for IssuedCredential {
    const KIND: &'static str = "issued-credential";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        Columns {
            state: Some(self.state.name().into()),
            counter_party: Some(self.holder_did.to_string()),
            correlation: Some(self.process.to_string()),
            reference: Some(self.definition.to_string()),
            ..Columns::default()
        }
    }
}
