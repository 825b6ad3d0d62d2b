//! A counter-party that nothing proved.

use heddle_ids::ParticipantId;
use heddle_tenancy::{Recipient, StaticPeers, VerifiedPeer};

fn forge(recipient: Recipient, id: ParticipantId) {
    let _ = VerifiedPeer { recipient, id, claims: serde_json::Value::Null };
    let _ = StaticPeers { peers: Vec::new(), sends: Default::default() };
}

fn main() {}
