//! The closed list of scopes.

use heddle_ids::{DataFlowId, DataPlaneId, ParticipantContextId, ParticipantId, TenantId};

use crate::{Access, Actor, Owner, Scope};

/// Keeps [`Scope`] closed: outside this crate nothing can implement it.
pub trait Sealed {}

/// Everything of one participant context.
///
/// Made from an Administration token for it, from a claimed job, or for an administrator who gives a reason
/// (which the store records in the same commit).
#[derive(Debug)]
pub struct ParticipantScope {
    pub(crate) participant: ParticipantContextId,
    pub(crate) actor: Actor,
}

impl ParticipantScope {
    /// The participant context that this scope opens.
    #[must_use]
    pub fn participant(&self) -> &ParticipantContextId {
        &self.participant
    }

    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

impl Sealed for ParticipantScope {}
impl Scope for ParticipantScope {
    fn access(&self) -> Access {
        Access::new(Owner::Participant(self.participant.clone()), None, self.actor.clone())
    }
}

macro_rules! peer_scopes {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            pub(crate) participant: ParticipantContextId,
            pub(crate) peer: ParticipantId,
        }

        impl $name {
            /// The participant context that was addressed.
            #[must_use]
            pub fn participant(&self) -> &ParticipantContextId {
                &self.participant
            }

            /// The verified counter-party.
            #[must_use]
            pub fn peer(&self) -> &ParticipantId {
                &self.peer
            }
        }

        impl Sealed for $name {}
        impl Scope for $name {
            fn access(&self) -> Access {
                Access::new(
                    Owner::Participant(self.participant.clone()),
                    Some(self.peer.clone()),
                    Actor::new(self.peer.as_str()),
                )
            }
        }
    )+};
}

peer_scopes! {
    /// What one participant offers to one verified counter-party (DSP catalog protocol).
    CatalogPeer;
    /// The negotiations of one participant with one verified counter-party.
    NegotiationPeer;
    /// The transfer processes of one participant with one verified counter-party.
    TransferPeer;
    /// Deliveries and offers of one verified issuer to one holder (DCP storage and offer endpoints).
    DeliveryPeer;
    /// Requests of one verified holder to one issuer (DCP issuance endpoints).
    IssuancePeer;
}

/// Leave to list one participant's credentials within granted scopes, for one verifier (DCP 1.0 §5.4).
#[derive(Debug)]
pub struct PresentationGrant {
    pub(crate) participant: ParticipantContextId,
    pub(crate) verifier: ParticipantId,
    pub(crate) scopes: Vec<String>,
}

impl PresentationGrant {
    /// The holder whose credentials may be presented.
    #[must_use]
    pub fn participant(&self) -> &ParticipantContextId {
        &self.participant
    }

    /// The verifier that the grant is for.
    #[must_use]
    pub fn verifier(&self) -> &ParticipantId {
        &self.verifier
    }

    /// The scopes that the holder granted; what is asked beyond them is left out of the answer.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}

impl Sealed for PresentationGrant {}
impl Scope for PresentationGrant {
    fn access(&self) -> Access {
        Access::new(
            Owner::Participant(self.participant.clone()),
            Some(self.verifier.clone()),
            Actor::new(self.verifier.as_str()),
        )
    }
}

/// The flows that one participant gave to one data plane.
#[derive(Debug)]
pub struct DataPlaneScope {
    pub(crate) participant: ParticipantContextId,
    pub(crate) data_plane: DataPlaneId,
}

impl DataPlaneScope {
    /// The participant context whose flows these are.
    #[must_use]
    pub fn participant(&self) -> &ParticipantContextId {
        &self.participant
    }

    /// The authenticated data plane.
    #[must_use]
    pub fn data_plane(&self) -> &DataPlaneId {
        &self.data_plane
    }
}

impl Sealed for DataPlaneScope {}
impl Scope for DataPlaneScope {
    fn access(&self) -> Access {
        let actor = Actor::new(format!("data plane {}", self.data_plane));
        Access::new(Owner::Participant(self.participant.clone()), None, actor)
    }
}

/// Leave to move the bytes of one data flow. The proxy accepts nothing else.
#[derive(Debug)]
pub struct FlowPermit {
    pub(crate) participant: ParticipantContextId,
    pub(crate) flow: DataFlowId,
}

impl FlowPermit {
    /// The participant context whose source is read.
    #[must_use]
    pub fn participant(&self) -> &ParticipantContextId {
        &self.participant
    }

    /// The flow that the bytes belong to.
    #[must_use]
    pub fn flow(&self) -> &DataFlowId {
        &self.flow
    }
}

/// One tenant's management data.
#[derive(Debug)]
pub struct TenantScope {
    pub(crate) tenant: TenantId,
    pub(crate) actor: Actor,
}

impl TenantScope {
    /// The tenant that this scope opens.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

impl Sealed for TenantScope {}
impl Scope for TenantScope {
    fn access(&self) -> Access {
        Access::new(Owner::Tenant(self.tenant.clone()), None, self.actor.clone())
    }
}

/// Life cycle of the installation: its own rows, never the contents of a participant.
#[derive(Debug)]
pub struct OperatorScope {
    pub(crate) actor: Actor,
}

impl OperatorScope {
    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

impl Sealed for OperatorScope {}
impl Scope for OperatorScope {
    fn access(&self) -> Access {
        Access::new(Owner::Installation, None, self.actor.clone())
    }
}

/// Leave to read *published* rows of any owner: who has which DID, signed documents, client ids. Anybody may.
///
/// It is the only reader across participants, and a type so that such reads are easy to find.
#[derive(Debug, Clone, Copy, Default)]
pub struct Directory;
