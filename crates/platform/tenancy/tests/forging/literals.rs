//! A scope from an id: every scope has private fields.

use heddle_ids::{DataFlowId, DataPlaneId, ParticipantContextId, ParticipantId, TenantId};
use heddle_tenancy::{
    Actor, CatalogPeer, DataPlaneScope, DeliveryPeer, FlowPermit, IssuancePeer, NegotiationPeer, OperatorScope,
    ParticipantScope, PresentationGrant, TenantScope, TransferPeer,
};

fn forge(
    participant: ParticipantContextId,
    peer: ParticipantId,
    tenant: TenantId,
    flow: DataFlowId,
    data_plane: DataPlaneId,
) {
    let actor = Actor::new("mallory");
    let _ = ParticipantScope { participant: participant.clone(), actor: actor.clone() };
    let _ = CatalogPeer { participant: participant.clone(), peer: peer.clone() };
    let _ = NegotiationPeer { participant: participant.clone(), peer: peer.clone() };
    let _ = TransferPeer { participant: participant.clone(), peer: peer.clone() };
    let _ = DeliveryPeer { participant: participant.clone(), peer: peer.clone() };
    let _ = IssuancePeer { participant: participant.clone(), peer: peer.clone() };
    let _ = PresentationGrant { participant: participant.clone(), verifier: peer, scopes: Vec::new() };
    let _ = DataPlaneScope { participant: participant.clone(), data_plane };
    let _ = FlowPermit { participant, flow };
    let _ = TenantScope { tenant, actor: actor.clone() };
    let _ = OperatorScope { actor };
}

fn main() {}
