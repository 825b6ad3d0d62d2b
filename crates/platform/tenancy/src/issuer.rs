//! The mint of all scopes.

use heddle_ids::{DataFlowId, DataPlaneId, JobId, ParticipantContextId, ParticipantId, TenantId};

use crate::{
    Actor, CatalogPeer, DataPlaneScope, DeliveryPeer, FlowPermit, IssuancePeer, NegotiationPeer,
    OperatorScope, Owner, ParticipantScope, PresentationGrant, Recipient, TenantScope, TransferPeer,
    VerifiedPeer,
};

/// Mints scopes. One per server; held (behind an `Arc`) by the authenticators and by the job claimer.
///
/// Whoever holds one is trusted to have checked a token, a proof or a lease before calling it.
#[derive(Debug)]
pub struct ScopeIssuer(());

/// The scope that a claimed job runs under: that of the row's owner.
#[derive(Debug)]
pub enum JobScope {
    /// A job of the installation.
    Operator(OperatorScope),
    /// A job of a participant context.
    Participant(ParticipantScope),
    /// A job of a tenant.
    Tenant(TenantScope),
}

impl ScopeIssuer {
    /// Called once, in the composition root. `clippy.toml` refuses it elsewhere.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default would be a second way in, past the fence")]
    pub fn new() -> Self {
        Self(())
    }

    /// Everything of `participant`, for somebody whose Administration token was checked for it.
    #[must_use]
    pub fn participant(&self, participant: ParticipantContextId, actor: Actor) -> ParticipantScope {
        ParticipantScope { participant, actor }
    }

    /// One tenant's management data, for somebody whose Tenant Manager token was checked.
    #[must_use]
    pub fn tenant(&self, tenant: TenantId, actor: Actor) -> TenantScope {
        TenantScope { tenant, actor }
    }

    /// Life cycle of the installation, for an operator's or a provisioner's token, or for a service of the
    /// installation that keeps rows of its own (the token service, the dataspace profiles).
    #[must_use]
    pub fn operator(&self, actor: Actor) -> OperatorScope {
        OperatorScope { actor }
    }

    /// The scope of a job that was claimed from a row of `owner`.
    #[must_use]
    pub fn job(&self, owner: Owner, job: &JobId) -> JobScope {
        let actor = Actor::new(format!("job {job}"));
        match owner {
            Owner::Installation => JobScope::Operator(self.operator(actor)),
            Owner::Tenant(tenant) => JobScope::Tenant(self.tenant(tenant, actor)),
            Owner::Participant(participant) => JobScope::Participant(self.participant(participant, actor)),
        }
    }

    /// The catalog surface for a verified peer.
    #[must_use]
    pub fn catalog_peer(&self, peer: &VerifiedPeer) -> CatalogPeer {
        let (participant, peer) = peer.parties();
        CatalogPeer { participant, peer }
    }

    /// The negotiation surface for a verified peer.
    #[must_use]
    pub fn negotiation_peer(&self, peer: &VerifiedPeer) -> NegotiationPeer {
        let (participant, peer) = peer.parties();
        NegotiationPeer { participant, peer }
    }

    /// The transfer surface for a verified peer.
    #[must_use]
    pub fn transfer_peer(&self, peer: &VerifiedPeer) -> TransferPeer {
        let (participant, peer) = peer.parties();
        TransferPeer { participant, peer }
    }

    /// The issuance surface of the issuer `recipient`, for the holder whose self-issued token was verified.
    #[must_use]
    pub fn issuance_peer(&self, recipient: &Recipient, holder: ParticipantId) -> IssuancePeer {
        IssuancePeer { participant: recipient.context().clone(), peer: holder }
    }

    /// The delivery surface of the holder `recipient`, for the issuer whose self-issued token was verified.
    #[must_use]
    pub fn delivery_peer(&self, recipient: &Recipient, issuer: ParticipantId) -> DeliveryPeer {
        DeliveryPeer { participant: recipient.context().clone(), peer: issuer }
    }

    /// Leave for `verifier` to see credentials of the holder `recipient`, after its self-issued token and the
    /// holder's own access token inside it were verified.
    #[must_use]
    pub fn presentation_grant(
        &self,
        recipient: &Recipient,
        verifier: ParticipantId,
        scopes: Vec<String>,
    ) -> PresentationGrant {
        PresentationGrant { participant: recipient.context().clone(), verifier, scopes }
    }

    /// The flows that `participant` gave to `data_plane`, which was authenticated.
    #[must_use]
    pub fn data_plane(&self, participant: ParticipantContextId, data_plane: DataPlaneId) -> DataPlaneScope {
        DataPlaneScope { participant, data_plane }
    }

    /// Leave to move the bytes of `flow`, whose access token was checked against the table of live flows.
    #[must_use]
    pub fn flow_permit(&self, participant: ParticipantContextId, flow: DataFlowId) -> FlowPermit {
        FlowPermit { participant, flow }
    }
}
