//! What the peer sent.

use heddle_clock::Timestamp;

use super::{Kind, Message, Refused, Step, TransferProcess, crossing, refused::UnderWay};
use crate::process::{Inbound, PeerPid};

/// Takes a message of the peer.
///
/// A message that was taken before changes nothing ([`Step::replay`]), even while the data plane is busy; a
/// message that the peer can only have sent after taking the one in flight acknowledges it, and both are
/// applied at once. Errors: [`Refused`]; the process is as before.
///
/// The path of the request decides which process is meant, and one matching process id of the body is enough:
/// leave [`Inbound::peer_pid`] empty when our own id matched.
pub fn receive(
    process: &TransferProcess,
    inbound: Inbound<Message>,
    now: Timestamp,
) -> Result<Step, Refused> {
    let Inbound { message, message_id, peer_pid } = inbound;
    if message_id.as_ref().is_some_and(|id| process.received.contains(id)) {
        return Ok(Step::replayed(process));
    }
    // A data plane that never comes to an end holds up no termination.
    if let Some(step) = process.busy.filter(|_| message.kind() != Kind::Terminate) {
        return Err(Refused::Busy { kind: message.kind(), under_way: UnderWay::DataPlane(step) });
    }
    let mut process = process.clone();
    process.adopt(peer_pid)?;
    let by = process.role.other();
    let mut effects = Vec::new();
    match crossing::read(&process, message.kind())? {
        crossing::Reading::Plain => effects.push(process.apply(by, message, now)?),
        crossing::Reading::Acknowledges => {
            if let Some(own) = process.in_flight.take() {
                effects.push(process.apply(process.role, own.message, now)?);
            }
            effects.push(process.apply(by, message, now)?);
        }
        crossing::Reading::Overtakes => {
            effects.push(process.apply(by, message, now)?);
            if let Some(own) = &mut process.in_flight {
                own.overtaken = true;
            }
        }
        crossing::Reading::BothTerminate => process.in_flight = None,
    }
    process.received.record(message_id);
    process.release_queued(&mut effects);
    Ok(Step::moved(process, effects))
}

impl TransferProcess {
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
