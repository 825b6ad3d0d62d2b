//! What we send, and how sending ends.

use heddle_clock::Timestamp;
use heddle_ids::MessageId;

use super::{Effect, Event, Kind, Message, Negotiation, Refused, State, Step, legal_kinds, next};
use crate::process::{Explanation, Failure, InFlight, PeerPid};

/// Records a message that is about to be sent. The state does not move until the peer has acknowledged it.
///
/// One message is under way at a time. Only a termination may be asked for meanwhile: it is kept, and goes
/// out as soon as the answer to the other message is known (and not at all if that answer ends the
/// negotiation). Asking again with the same id changes nothing. Errors: [`Refused`].
pub fn send(
    negotiation: &Negotiation,
    message: Message,
    message_id: MessageId,
    now: Timestamp,
) -> Result<Step, Refused> {
    let kind = message.kind();
    let by = negotiation.role;
    if negotiation.is_in_flight(&message_id) {
        return Ok(Step::replayed(negotiation));
    }
    let flight = InFlight::new(message_id, message, now);
    let mut next_value = negotiation.clone();
    if let Some(own) = &negotiation.in_flight {
        let in_flight = own.message.kind();
        if negotiation.is_terminal() {
            return Err(Refused::Illegal { from: negotiation.state, by, kind, expected: Vec::new() });
        }
        if kind != Kind::Terminate || in_flight == Kind::Terminate {
            return Err(Refused::Busy { kind, in_flight });
        }
        if negotiation.queued.is_some() {
            return Ok(Step::replayed(negotiation));
        }
        next_value.queued = Some(flight);
        return Ok(Step::moved(next_value, Vec::new()));
    }
    // The arrow and the contents are tried on a copy: a message that could not be applied later is never
    // sent.
    negotiation.clone().apply(by, flight.message.clone(), now)?;
    let mut effects = Vec::new();
    if negotiation.state.is_none() {
        effects.push(Effect::Emit(Event::Initiated));
    }
    effects.push(Effect::Send(flight.clone()));
    next_value.in_flight = Some(flight);
    Ok(Step::moved(next_value, effects))
}

/// The peer has taken our message: the state moves by it.
///
/// `peer_pid` is the process id that the answer to a first message brings; answers to later messages are not
/// held against anything, as implementations swap the two ids there. A late or repeated acknowledgement
/// changes nothing.
#[must_use]
pub fn acknowledged(
    negotiation: &Negotiation,
    message_id: &MessageId,
    peer_pid: Option<PeerPid>,
    now: Timestamp,
) -> Step {
    let mut moved = negotiation.clone();
    let Some(own) = moved.in_flight.take_if(|flight| flight.message_id == *message_id) else {
        return Step::replayed(negotiation);
    };
    if moved.peer_pid.is_none() && peer_pid.as_ref().is_some_and(|pid| pid.role() == moved.role.other()) {
        moved.peer_pid = peer_pid;
    }
    let mut effects = Vec::new();
    // In TERMINATED our message was the notice of it, and no arrow leads on; nothing but the flight is over
    // then.
    if let Ok(effect) = moved.apply(moved.role, own.message, now) {
        effects.push(effect);
    }
    moved.release_queued(&mut effects);
    Step::moved(moved, effects)
}

/// Our message will not be sent again: it was refused for good or never sent, or every attempt went unanswered. Ask for the
/// peer's state first ([`super::observed`]): a peer may have taken the message and refuse only its repeat.
///
/// | message | refused | unanswered |
/// | --- | --- | --- |
/// | termination | TERMINATED | TERMINATED |
/// | finalisation | TERMINATED, and the peer is told | FINALIZED, see below |
/// | first message | TERMINATED; there is no process to tell | TERMINATED |
/// | any other | TERMINATED, and the peer is told | TERMINATED, and the peer is told |
///
/// A finalisation that nobody answered may have been taken, and the agreement must not be void for us alone; a peer
/// that has not taken it finds out when it asks for our state.
///
/// Telling the peer is a message in flight with the id `notice_id`, or the termination that was waiting. It says
/// that our message could not be delivered, not why: the reason stays in our own ending. A message that is not in
/// flight any more changes nothing.
#[must_use]
pub fn abandoned(
    negotiation: &Negotiation,
    message_id: &MessageId,
    failure: &Failure,
    notice_id: MessageId,
    now: Timestamp,
) -> Step {
    let mut moved = negotiation.clone();
    let Some(own) = moved.in_flight.take_if(|flight| flight.message_id == *message_id) else {
        return Step::replayed(negotiation);
    };
    if moved.is_terminal() {
        return Step::moved(moved, Vec::new());
    }
    let kind = own.message.kind();
    if let (Kind::Finalize, Failure::Unanswered(_)) = (kind, failure)
        && next(moved.state, moved.role, kind).is_some()
    {
        let effect = moved.enter(State::Finalized, now);
        return Step::moved(moved, vec![effect]);
    }
    let waiting = moved.queued.take();
    // The owner reads why; what failed in our house is none of the peer's business.
    let undelivered = |why: String| Explanation::new("message-not-delivered", why);
    let (explanation, told) = match (&own.message, waiting.as_ref().map(|queued| &queued.message)) {
        (Message::Terminate(explanation), _) | (_, Some(Message::Terminate(explanation))) => {
            (explanation.clone(), explanation.clone())
        }
        _ => {
            let told = format!("the {kind} could not be delivered");
            (undelivered(format!("{told}: {}", failure.reason())), undelivered(told))
        }
    };
    moved.termination = Some(super::Termination { by: moved.role, explanation, at: now });
    let mut effects = vec![moved.enter(State::Terminated, now)];
    if kind != Kind::Terminate && moved.peer_pid.is_some() {
        let notice = waiting.unwrap_or(InFlight::new(notice_id, Message::Terminate(told), now));
        effects.push(Effect::Send(notice.clone()));
        moved.in_flight = Some(notice);
    }
    Step::moved(moved, effects)
}

impl Negotiation {
    /// What we may send now; nothing while a message is under way, but a termination.
    #[must_use]
    pub fn may_send(&self) -> Vec<Kind> {
        let legal = legal_kinds(self.state, self.role);
        match &self.in_flight {
            None => legal,
            Some(own) if own.message.kind() == Kind::Terminate => Vec::new(),
            Some(_) if self.queued.is_some() => Vec::new(),
            Some(_) => vec![Kind::Terminate],
        }
    }
}
