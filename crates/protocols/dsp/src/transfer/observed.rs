//! What the peer says about its state when it is asked.

use heddle_clock::Timestamp;

use super::{Effect, Message, State, Step, TransferProcess};
use crate::process::Explanation;

/// Takes the state that the peer has answered to `GET` (DSP 2025-1 §"The transfers endpoint").
///
/// It settles what is open between the two: a state that only our message in flight leads to acknowledges it,
/// and a final state of the peer becomes ours where the peer could have told us so by a message, even if we
/// are about to terminate. Any other state changes nothing ([`Step::replay`]); least of all STARTED and
/// SUSPENDED, which alternate: the peer may be there still, and not again.
#[must_use]
pub fn observed(process: &TransferProcess, peer_state: State, now: Timestamp) -> Step {
    if process.is_terminal() {
        return Step::replayed(process);
    }
    let after_ours =
        process.in_flight.as_ref().and_then(|own| process.next(process.role, own.message.kind()));
    let final_word = match peer_state {
        State::Completed => Some(Message::Complete),
        State::Terminated => Some(Message::Terminate(Explanation::new(
            "peer-state",
            "the peer has told that it has terminated the transfer",
        ))),
        _ => None,
    };
    let mut moved = process.clone();
    let mut effects = Vec::new();
    let only_ours = peer_state.is_terminal() || process.state == Some(State::Requested);
    if after_ours == Some(peer_state) && only_ours {
        moved.take_ours(&mut effects, now);
        moved.release_queued(&mut effects);
    } else if let Some(message) = final_word {
        let by = process.role.other();
        let direct = process.next(by, message.kind()).is_some();
        if !direct && super::next(after_ours, by, message.kind()).is_some() {
            moved.take_ours(&mut effects, now);
        }
        moved.in_flight = None;
        match moved.apply(by, message, now) {
            Ok(effect) => effects.push(effect),
            Err(_) => return Step::replayed(process),
        }
    }
    if effects.is_empty() { Step::replayed(process) } else { Step::moved(moved, effects) }
}

impl TransferProcess {
    fn take_ours(&mut self, effects: &mut Vec<Effect>, now: Timestamp) {
        if let Some(own) = self.in_flight.take()
            && let Ok(effect) = self.apply(self.role, own.message, now)
        {
            effects.push(effect);
        }
    }
}
