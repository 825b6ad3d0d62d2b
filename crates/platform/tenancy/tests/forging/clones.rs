//! A scope ends where it was given: none can be copied for later.

use heddle_tenancy::{
    Access, CatalogPeer, DataPlaneScope, DeliveryPeer, DevelopmentMode, FlowPermit, IssuancePeer, JobScope,
    NegotiationPeer, OperatorScope, ParticipantScope, PresentationGrant, ScopeIssuer, StaticPeers, TenantScope,
    TransferPeer, VerifiedPeer,
};

fn copies<T: Clone>() {}

fn main() {
    copies::<ParticipantScope>();
    copies::<CatalogPeer>();
    copies::<NegotiationPeer>();
    copies::<TransferPeer>();
    copies::<DeliveryPeer>();
    copies::<IssuancePeer>();
    copies::<PresentationGrant>();
    copies::<DataPlaneScope>();
    copies::<FlowPermit>();
    copies::<TenantScope>();
    copies::<OperatorScope>();
    copies::<JobScope>();
    copies::<Access>();
    copies::<VerifiedPeer>();
    copies::<ScopeIssuer>();
    copies::<DevelopmentMode>();
    copies::<StaticPeers>();
}
