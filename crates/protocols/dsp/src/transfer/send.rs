//! What we send, and how sending ends.

use heddle_clock::Timestamp;
use heddle_ids::MessageId;

use super::{Effect, Ending, Event, Kind, Message, Refused, State, Step, TransferProcess, refused::UnderWay};
use crate::process::{Explanation, Failure, InFlight, PeerPid};

/// Records a message that is about to be sent. The state does not move until the peer has acknowledged it.
///
/// One message is under way at a time. Only a termination may be asked for meanwhile: it is kept, and goes
/// out as soon as the answer to the other message is known (and not at all if that answer ends the transfer).
/// Asking again with the same id changes nothing. Errors: [`Refused`].
pub fn send(
    process: &TransferProcess,
    message: Message,
    message_id: MessageId,
    now: Timestamp,
) -> Result<Step, Refused> {
    let kind = message.kind();
    let by = process.role;
    if process.is_in_flight(&message_id) {
        return Ok(Step::replayed(process));
    }
    let flight = InFlight::new(message_id, message, now);
    let mut next_value = process.clone();
    if let Some(own) = &process.in_flight {
        let in_flight = own.message.kind();
        if process.is_terminal() {
            return Err(Refused::Illegal { from: process.state, by, kind, expected: Vec::new() });
        }
        if kind != Kind::Terminate || in_flight == Kind::Terminate {
            return Err(Refused::Busy { kind, under_way: UnderWay::Message(in_flight) });
        }
        if process.queued.is_some() {
            return Ok(Step::replayed(process));
        }
        next_value.queued = Some(flight);
        return Ok(Step::moved(next_value, Vec::new()));
    }
    // The arrow and the contents are tried on a copy: a message that could not be applied later is never
    // sent.
    process.clone().apply(by, flight.message.clone(), now)?;
    let mut effects = Vec::new();
    if process.state.is_none() {
        effects.push(Effect::Emit(Event::Initiated));
    }
    effects.push(Effect::Send(flight.clone()));
    next_value.in_flight = Some(flight);
    Ok(Step::moved(next_value, effects))
}

/// The peer has taken our message: the state moves by it.
///
/// `peer_pid` is the process id that the answer to a request brings; answers to later messages are not held
/// against anything. A late or repeated acknowledgement changes nothing.
#[must_use]
pub fn acknowledged(
    process: &TransferProcess,
    message_id: &MessageId,
    peer_pid: Option<PeerPid>,
    now: Timestamp,
) -> Step {
    let mut moved = process.clone();
    let Some(own) = moved.in_flight.take_if(|flight| flight.message_id == *message_id) else {
        return Step::replayed(process);
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
/// | completion | TERMINATED, and the peer is told | COMPLETED: all data has been transferred |
/// | request | TERMINATED; there is no process to tell | TERMINATED |
/// | suspension, overtaken by the peer's | nothing is lost | in SUSPENDED nothing is lost |
/// | any other | TERMINATED, and the peer is told | TERMINATED, and the peer is told |
///
/// Telling the peer is a message in flight with the id `notice_id`, or the termination that was waiting. It says
/// that our message could not be delivered, not why: the reason stays in our own ending. A message that is not in
/// flight any more changes nothing.
#[must_use]
pub fn abandoned(
    process: &TransferProcess,
    message_id: &MessageId,
    failure: &Failure,
    notice_id: MessageId,
    now: Timestamp,
) -> Step {
    let mut moved = process.clone();
    let Some(own) = moved.in_flight.take_if(|flight| flight.message_id == *message_id) else {
        return Step::replayed(process);
    };
    if moved.is_terminal() {
        return Step::moved(moved, Vec::new());
    }
    let kind = own.message.kind();
    let harmless = matches!(failure, Failure::Refused(_)) || moved.state == Some(State::Suspended);
    if own.overtaken && harmless {
        let mut effects = Vec::new();
        moved.release_queued(&mut effects);
        return Step::moved(moved, effects);
    }
    if let (Kind::Complete, Failure::Unanswered(_)) = (kind, failure) {
        let effect = moved.enter(State::Completed, now);
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
    moved.termination = Some(Ending { by: moved.role, explanation, at: now });
    let mut effects = vec![moved.enter(State::Terminated, now)];
    if kind != Kind::Terminate && moved.peer_pid.is_some() {
        let notice = waiting.unwrap_or(InFlight::new(notice_id, Message::Terminate(told), now));
        effects.push(Effect::Send(notice.clone()));
        moved.in_flight = Some(notice);
    }
    Step::moved(moved, effects)
}

/// A transfer that the peer has never heard of ends, and nobody is to be told. Once its request is under way, nothing
/// changes: then it takes a termination.
#[must_use]
pub fn withdrawn(process: &TransferProcess, explanation: Explanation, now: Timestamp) -> Step {
    if process.state.is_some() || process.in_flight.is_some() {
        return Step::replayed(process);
    }
    let mut moved = process.clone();
    moved.termination = Some(Ending { by: moved.role, explanation, at: now });
    let effect = moved.enter(State::Terminated, now);
    Step::moved(moved, vec![effect])
}

impl TransferProcess {
    /// What we may send now; nothing while a message is under way, but a termination.
    #[must_use]
    pub fn may_send(&self) -> Vec<Kind> {
        match &self.in_flight {
            None => self.legal_kinds(self.role),
            Some(own) if own.message.kind() == Kind::Terminate => Vec::new(),
            Some(_) if self.queued.is_some() => Vec::new(),
            Some(_) => vec![Kind::Terminate],
        }
    }
}
