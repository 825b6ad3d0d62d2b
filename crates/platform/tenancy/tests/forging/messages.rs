//! No message holds a scope: none can be read from what somebody sent.

use heddle_tenancy::{
    Access, CatalogPeer, DataPlaneScope, DeliveryPeer, DevelopmentMode, FlowPermit, IssuancePeer, JobScope,
    NegotiationPeer, OperatorScope, ParticipantScope, PresentationGrant, ScopeIssuer, StaticPeers, TenantScope,
    TransferPeer, VerifiedPeer,
};

fn reads<T: serde::de::DeserializeOwned>() {}

fn main() {
    reads::<ParticipantScope>();
    reads::<CatalogPeer>();
    reads::<NegotiationPeer>();
    reads::<TransferPeer>();
    reads::<DeliveryPeer>();
    reads::<IssuancePeer>();
    reads::<PresentationGrant>();
    reads::<DataPlaneScope>();
    reads::<FlowPermit>();
    reads::<TenantScope>();
    reads::<OperatorScope>();
    reads::<JobScope>();
    reads::<Access>();
    reads::<VerifiedPeer>();
    reads::<ScopeIssuer>();
    reads::<DevelopmentMode>();
    reads::<StaticPeers>();
}
