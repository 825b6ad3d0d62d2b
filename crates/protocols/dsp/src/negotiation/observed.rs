//! What the peer says about its state when it is asked.

use heddle_clock::Timestamp;

use super::{Kind, Message, Negotiation, State, Step, next};
use crate::process::Explanation;

/// Takes the state that the peer has answered to `GET` (DSP 2025-1 §"The negotiations endpoint").
///
/// It settles what is open between the two: a state that only our message in flight leads to acknowledges it,
/// and a final state of the peer becomes ours where the peer could have told us so by a message, even if we
/// are about to terminate. Any other state changes nothing ([`Step::replay`]): what led to it may have
/// contents that only a message brings, and REQUESTED and OFFERED alternate, so that the peer may be there
/// still, and not again.
#[must_use]
pub fn observed(negotiation: &Negotiation, peer_state: State, now: Timestamp) -> Step {
    if negotiation.is_terminal() {
        return Step::replayed(negotiation);
    }
    let after_ours = negotiation.after_ours();
    let final_word = match peer_state {
        State::Finalized => Some(Message::Finalize),
        State::Terminated => Some(Message::Terminate(Explanation::new(
            "peer-state",
            "the peer has told that it has terminated the negotiation",
        ))),
        _ => None,
    };
    let mut moved = negotiation.clone();
    let mut effects = Vec::new();
    let only_ours = !matches!(peer_state, State::Requested | State::Offered);
    if after_ours == Some(peer_state) && only_ours {
        moved.take_ours(&mut effects, now);
        moved.release_queued(&mut effects);
    } else if let Some(message) = final_word {
        let by = negotiation.role.other();
        if next(after_ours, by, message.kind()).is_some()
            && next(negotiation.state, by, message.kind()).is_none()
        {
            moved.take_ours(&mut effects, now);
        }
        moved.in_flight = None;
        match moved.apply(by, message, now) {
            Ok(effect) => effects.push(effect),
            Err(_) => return Step::replayed(negotiation),
        }
    }
    if effects.is_empty() { Step::replayed(negotiation) } else { Step::moved(moved, effects) }
}

impl Negotiation {
    /// The state once the peer has taken what is in flight.
    fn after_ours(&self) -> Option<State> {
        let kind: Kind = self.in_flight.as_ref()?.message.kind();
        next(self.state, self.role, kind)
    }

    fn take_ours(&mut self, effects: &mut Vec<super::Effect>, now: Timestamp) {
        if let Some(own) = self.in_flight.take()
            && let Ok(effect) = self.apply(self.role, own.message, now)
        {
            effects.push(effect);
        }
    }
}
