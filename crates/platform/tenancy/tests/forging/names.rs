//! A counter-party under another name than the one that was proved.

use heddle_dcp::trust::VerifiedPresentation;
use heddle_ids::ParticipantId;
use heddle_tenancy::VerifiedPeer;

fn rename(presentation: &mut VerifiedPresentation, peer: &mut VerifiedPeer, id: ParticipantId) {
    peer.id = id;
    presentation.holder = "did:web:mallory".parse().unwrap();
}

fn main() {}
