//! A peer that was let into one surface is not let into another, and an id lets nobody in.

use heddle_ids::{ParticipantContextId, ParticipantId};
use heddle_tenancy::{CatalogPeer, NegotiationPeer, ScopeIssuer, TransferPeer, VerifiedPeer};

fn negotiates(_: &NegotiationPeer) {}
fn transfers(_: &TransferPeer) {}

fn crosses(issuer: &ScopeIssuer, peer: &CatalogPeer, verified: &VerifiedPeer, id: &ParticipantId) {
    negotiates(peer);
    transfers(&issuer.negotiation_peer(verified));
    negotiates(&issuer.negotiation_peer(id));
}

fn reaches(issuer: &ScopeIssuer, verified: &VerifiedPeer, other: &ParticipantContextId) {
    negotiates(&issuer.negotiation_peer(other, verified));
}

fn main() {}
