//! What a scope means to the store.

use heddle_ids::ParticipantId;

use crate::Owner;

/// Who acts, for the audit log. Not a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The subject of a token, the id of a job, the DID of a peer.
    pub subject: String,
    /// Why an administrator acts for a participant; `None` for everybody else. Recorded in the same commit.
    pub reason: Option<String>,
}

impl Actor {
    /// Somebody who acts for themselves.
    #[must_use]
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), reason: None }
    }

    /// An administrator who acts for a participant, and says why.
    #[must_use]
    pub fn administrator(subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { subject: subject.into(), reason: Some(reason.into()) }
    }
}

/// The rows that a transaction may see and change. Only a scope yields one ([`Scope::access`]).
#[derive(Debug)]
pub struct Access {
    owner: Owner,
    counter_party: Option<ParticipantId>,
    actor: Actor,
}

impl Access {
    pub(crate) fn new(owner: Owner, counter_party: Option<ParticipantId>, actor: Actor) -> Self {
        Self { owner, counter_party, actor }
    }

    /// Rows of this owner, and of no other.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// When set: of rows that name a counter-party, only those that name this one.
    #[must_use]
    pub fn counter_party(&self) -> Option<&ParticipantId> {
        self.counter_party.as_ref()
    }

    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// A capability that opens a part of the store. Implemented by the scopes of this crate alone.
pub trait Scope: crate::scopes::Sealed + Send + Sync {
    /// The rows that this scope opens.
    fn access(&self) -> Access;
}
