//! Asks the peer how far it is, before a message that it may have taken is given up.

use heddle_dsp::{negotiation::State, wire};
use heddle_outbound::Request;
use heddle_tenancy::ParticipantScope;

use super::NegotiationRecord;
use crate::{ControlPlane, parts::Addressed};

impl ControlPlane {
    /// The state of the peer's process; nothing when the peer does not tell it, for whatever reason: then what we know
    /// must do.
    pub(super) async fn peer_negotiation_state(
        &self,
        scope: &ParticipantScope,
        addressed: &Addressed,
        record: &NegotiationRecord,
    ) -> Option<State> {
        let path = record.process.peer_path()?;
        let peer = record.process.counter_party();
        let authorization = self.identity.authorization(scope, &addressed.profile, peer, &[]).await.ok()?;
        let url = format!("{}{path}", record.process.counter_party_address());
        let answer = self.outbound.send(Request::get(url).authorization(authorization)).await.ok()?;
        let shown: wire::ContractNegotiation = wire::parse(answer.body()).ok()?;
        Some(shown.state)
    }
}
