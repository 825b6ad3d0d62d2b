//! A participant context in the control plane.

use std::{borrow::Cow, collections::BTreeMap};

use heddle_clock::Timestamp;
use heddle_ids::{ParticipantContextId, ParticipantId, ProfileName, TenantId};
use heddle_store::{Aggregate, Columns, DirectoryRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Whether a participant takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ParticipantState {
    /// Made, not yet active: its protocol endpoints answer as if it did not exist.
    Created,
    /// Takes part.
    Activated,
    /// Takes part no longer.
    Deactivated,
}

impl ParticipantState {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Activated => "ACTIVATED",
            Self::Deactivated => "DEACTIVATED",
        }
    }
}

/// A participant context: the unit of isolation, with the identity that it goes by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParticipantContext {
    /// Its id.
    pub id: ParticipantContextId,
    /// Who it is in its dataspaces; under DCP a DID.
    pub identity: ParticipantId,
    /// Whether it takes part.
    pub state: ParticipantState,
    /// An opaque label for logs, metrics and audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Free properties.
    #[serde(default)]
    pub properties: Map<String, Value>,
    /// The dataspace profiles that it takes part in.
    #[serde(default)]
    pub profiles: Vec<ProfileName>,
    /// Configuration entries (Management API `…/config`).
    #[serde(default)]
    pub entries: BTreeMap<String, String>,
    /// Names of the private configuration entries; their values lie in the vault, under
    /// [`ParticipantContext::private_alias`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private_entries: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The place of the newest event when it was made: those up to there are of an earlier context of this id.
    #[serde(default)]
    pub events_after: u64,
}

impl ParticipantContext {
    /// Kind of the directory row by which protocol endpoints find a participant.
    pub const DIRECTORY: &'static str = "participant";

    /// The alias of a private configuration entry in the participant's vault.
    #[must_use]
    pub fn private_alias(name: &str) -> String {
        format!("config/{name}")
    }

    /// What everybody may know.
    #[must_use]
    pub fn published(&self) -> DirectoryRow {
        let value = PublishedParticipant {
            identity: self.identity.clone(),
            active: self.state == ParticipantState::Activated,
            tenant: self.tenant.clone(),
            profiles: self.profiles.clone(),
            created_at: Some(self.created_at),
        };
        DirectoryRow::new(Self::DIRECTORY, self.id.as_str(), &value)
    }
}

impl Aggregate for ParticipantContext {
    const KIND: &'static str = "participant-context";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        Columns { state: Some(Cow::Borrowed(self.state.name())), ..Columns::default() }
    }
}

/// The published part of a participant context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublishedParticipant {
    /// Who it is.
    pub identity: ParticipantId,
    /// Whether it takes part.
    pub active: bool,
    /// The label of its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The dataspace profiles that it takes part in.
    #[serde(default)]
    pub profiles: Vec<ProfileName>,
    /// When it was made: an earlier context of this id was made at another time.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}
