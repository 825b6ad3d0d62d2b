//! What the peer sent.

use heddle_clock::Timestamp;

use super::{Effect, Message, Negotiation, Refused, Step, crossing};
use crate::process::{Inbound, PeerPid};

/// Takes a message of the peer.
///
/// A message that was taken before changes nothing ([`Step::replay`]); a message that the peer can only have
/// sent after taking the one in flight acknowledges it, and both are applied at once. Errors: [`Refused`];
/// the negotiation is as before, and so is what the peer may send.
pub fn receive(
    negotiation: &Negotiation,
    inbound: Inbound<Message>,
    now: Timestamp,
) -> Result<Step, Refused> {
    let Inbound { message, message_id, peer_pid } = inbound;
    if message_id.as_ref().is_some_and(|id| negotiation.received.contains(id)) {
        return Ok(Step::replayed(negotiation));
    }
    let mut negotiation = negotiation.clone();
    negotiation.adopt(peer_pid)?;
    let by = negotiation.role.other();
    let mut effects = Vec::new();
    match crossing::read(&negotiation, message.kind())? {
        crossing::Reading::Plain => effects.push(negotiation.apply(by, message, now)?),
        crossing::Reading::Acknowledges => {
            if let Some(own) = negotiation.in_flight.take() {
                effects.push(negotiation.apply(negotiation.role, own.message, now)?);
            }
            effects.push(negotiation.apply(by, message, now)?);
        }
        crossing::Reading::Withdraws => {
            negotiation.in_flight = None;
            effects.push(negotiation.apply(by, message, now)?);
        }
        crossing::Reading::BothTerminate => negotiation.in_flight = None,
    }
    negotiation.received.record(message_id);
    negotiation.release_queued(&mut effects);
    Ok(Step::moved(negotiation, effects))
}

impl Negotiation {
    /// Holds the process id of a body against the one we know; the first one is remembered.
    pub(super) fn adopt(&mut self, found: Option<PeerPid>) -> Result<(), Refused> {
        let Some(found) = found else { return Ok(()) };
        let by = self.role.other();
        if found.role() != by || self.peer_pid.as_ref().is_some_and(|known| *known != found) {
            return Err(Refused::OtherProcess { by: found.role(), found: found.as_str().to_owned() });
        }
        self.peer_pid = Some(found);
        Ok(())
    }
}

impl Step {
    /// Whether the step carries a message to send.
    #[must_use]
    pub fn sends(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Send(_)))
    }
}
