//! A participant context as this service knows it: who it is, what its DID document says, what it accepts.

use heddle_clock::Timestamp;
use heddle_did::Did;
use heddle_ids::ParticipantContextId;
use heddle_store::{Aggregate, Columns, DirectoryRow};
use serde::{Deserialize, Serialize};

/// Directory kind: participant context id → [`PublishedHolder`].
pub(crate) const HOLDER: &str = "holder";
/// Directory kind: DID → its document. Only while the document is published.
pub(crate) const DID_DOCUMENT: &str = "did-document";
/// Directory kind: DID → [`DidClaim`]. It keeps two contexts from taking one DID, published or not.
pub(crate) const DID: &str = "did";
/// Most issuers of [`Settings::accept_unsolicited_from`].
const ISSUERS_MAX: usize = 100;

/// How far a participant context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    /// Made, and not active yet: its DID document is not served.
    Created,
    /// Its DID document is served; it issues tokens and answers.
    Activated,
    /// It was active once.
    Deactivated,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Activated => "ACTIVATED",
            Self::Deactivated => "DEACTIVATED",
        }
    }

    /// The number that the Identity API shows.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Created => 100,
            Self::Activated => 200,
            Self::Deactivated => 300,
        }
    }
}

/// A service of the DID document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceEndpoint {
    /// The fragment of its id.
    pub(crate) fragment: String,
    /// Its type, such as `CredentialService`.
    pub(crate) kind: String,
    /// Its base URL.
    pub(crate) endpoint: String,
}

/// What a participant lets others do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    /// DIDs of issuers whose credentials are stored although nobody asked for them.
    #[serde(default)]
    pub(crate) accept_unsolicited_from: Vec<Did>,
    /// Whether a delivery must carry the grant that went out with the request (DCP 1.0 §6.4). Off, a delivery
    /// without any is taken too, since deployed issuers forget it; a wrong one never is.
    #[serde(default)]
    pub(crate) require_write_grant: bool,
}

impl Settings {
    /// Refuses what is out of bounds; the message says what.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.accept_unsolicited_from.len() > ISSUERS_MAX {
            return Err(format!("'acceptUnsolicitedFrom' has at most {ISSUERS_MAX} entries"));
        }
        Ok(())
    }
}

/// The aggregate. Its id is the participant context's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HolderContext {
    pub(crate) id: ParticipantContextId,
    pub(crate) did: Did,
    pub(crate) state: State,
    pub(crate) services: Vec<ServiceEndpoint>,
    #[serde(default)]
    pub(crate) settings: Settings,
    /// The key that credentials are signed with, for a participant that is an issuer.
    #[serde(default)]
    pub(crate) signing_key: Option<PublishedKey>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    /// The place of the newest event when it was made: those up to there are of an earlier context of this id.
    #[serde(default)]
    pub(crate) events_after: u64,
}

impl HolderContext {
    pub(crate) fn is_active(&self) -> bool {
        self.state == State::Activated
    }

    /// What everybody may know.
    pub(crate) fn published(&self) -> DirectoryRow {
        let value = PublishedHolder {
            did: self.did.clone(),
            active: self.is_active(),
            state: self.state,
            signing_key: self.signing_key.clone(),
            created_at: self.created_at,
            modified_at: self.modified_at,
        };
        DirectoryRow::new(HOLDER, self.id.as_str(), &value)
    }
}

impl Aggregate for HolderContext {
    const KIND: &'static str = "holder-context";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        Columns { state: Some(self.state.name().into()), ..Columns::default() }
    }
}

/// The row of kind [`HOLDER`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedHolder {
    pub(crate) did: Did,
    pub(crate) active: bool,
    pub(crate) state: State,
    #[serde(default, rename = "signingKey", skip_serializing_if = "Option::is_none")]
    pub(crate) signing_key: Option<PublishedKey>,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

/// A key as the services that share the vault find it. Knowing where it lies opens nothing: the vault asks for a
/// scope of its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublishedKey {
    /// The id of the verification method: `did#fragment`.
    pub(crate) kid: String,
    /// The alias in the vault.
    pub(crate) alias: String,
}

/// The row of kind [`DID`]: whose DID it is, its owner says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DidClaim {
    /// The participant context.
    pub(crate) participant: ParticipantContextId,
}
