//! The one function that moves a flow.

use heddle_clock::Timestamp;
use heddle_ids::MessageId;

use super::{Answer, Callback, CallbackKind, Event, Flow, Kind, Progress, Refused, State, targets};
use crate::{Direction, wire::DataAddress};

/// What [`apply`] made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The flow has changed: store it, enqueue the callback in the same commit, and answer.
    Moved {
        /// The flow after the event.
        flow: Box<Flow>,
        /// What to answer.
        answer: Answer,
        /// What to call back, for what the data plane did by itself.
        callback: Option<Callback>,
    },
    /// Nothing has changed: a repeat. Only answer.
    Again(Answer),
}

/// Whether an event is welcome, before anything is done for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is new: do what it asks for, then [`apply`] it.
    Fresh,
    /// The message id is known. This was the answer.
    Replay(Answer),
    /// A repeat under a new id, to be answered from the present state: issue no new address.
    Repeat,
}

/// Looks whether an event of this kind would be accepted. Changes nothing.
///
/// # Errors
/// [`Refused::Illegal`], [`Refused::Exists`] or [`Refused::MessageIdReused`], as [`apply`] would.
pub fn admit(flow: &Flow, on: Kind, message_id: Option<&MessageId>) -> Result<Admission, Refused> {
    if let Some(answered) = message_id.and_then(|id| flow.answered(id)) {
        return match answered.kind == on {
            true => Ok(Admission::Replay(answered.answer.clone())),
            false => Err(Refused::MessageIdReused { on, first: answered.kind }),
        };
    }
    let mut legal = targets(flow.state, on, flow.side(), flow.direction()).peekable();
    match legal.peek() {
        Some(to) if *to == flow.state => Ok(Admission::Repeat),
        Some(_) => Ok(Admission::Fresh),
        None => Err(illegal(flow, on)),
    }
}

fn illegal(flow: &Flow, on: Kind) -> Refused {
    let (state, side) = (flow.state, flow.side());
    let opens = targets(State::Initialized, on, side, flow.direction()).next().is_some();
    if opens && matches!(on, Kind::Prepare | Kind::Start) {
        return Refused::Exists { on, state };
    }
    let by_control_plane = |kind: &Kind| {
        !matches!(kind, Kind::FinishedPreparing | Kind::FinishedStarting | Kind::OwnCompletion)
            && targets(state, *kind, side, flow.direction()).next().is_some()
    };
    Refused::Illegal { on, state, side, legal: Kind::ALL.into_iter().filter(by_control_plane).collect() }
}

/// Applies an event to a flow. `message_id` is that of the control plane's message; `completed` and what the
/// data plane does by itself have none.
///
/// # Errors
/// [`Refused`], and the flow is as it was.
pub fn apply(
    flow: &Flow,
    event: Event,
    message_id: Option<&MessageId>,
    now: Timestamp,
) -> Result<Step, Refused> {
    let kind = event.kind();
    let repeat = match admit(flow, kind, message_id)? {
        Admission::Replay(answer) => return Ok(Step::Again(answer)),
        Admission::Repeat => true,
        Admission::Fresh => false,
    };
    let change = change(flow, event, repeat)?;
    let arrow = targets(flow.state, kind, flow.side(), flow.direction()).any(|to| to == change.to);
    assert!(arrow, "ARROWS and `apply` disagree about '{kind}' in {}", flow.state);

    let mut next = flow.clone();
    if !repeat {
        (next.state, next.state_since, next.reason) = (change.to, now, change.reason);
    }
    if change.address.is_some() {
        next.data_address = change.address;
    }
    let answer = Answer::new(message_id, next.state, shown_address(&next, kind));
    if next == *flow {
        return Ok(Step::Again(answer));
    }
    if let Some(id) = message_id {
        next.remember(id, kind, answer.clone());
    }
    if next.state.is_terminal() {
        next.forget_addresses();
    }
    let callback = callback(kind, &answer);
    Ok(Step::Moved { flow: Box::new(next), answer, callback })
}

/// What an event does to a flow that may accept it.
struct Change {
    to: State,
    address: Option<DataAddress>,
    reason: Option<String>,
}

fn change(flow: &Flow, event: Event, repeat: bool) -> Result<Change, Refused> {
    let (kind, push) = (event.kind(), flow.direction() == Direction::Push);
    let issue = |issued| if repeat { Ok(None) } else { issued_by_owner(flow, kind, issued) };
    let to = |to, address| Ok(Change { to, address, reason: None });
    match event {
        Event::Prepare { given: Some(_), .. } => Err(Refused::AddressUnexpected(kind)),
        Event::Prepare { progress: Progress::UnderWay, .. } => to(State::Preparing, None),
        Event::Prepare { progress: Progress::Done { issued }, .. } => to(State::Prepared, issue(issued)?),
        Event::Start { given: Some(_), .. } if !push => Err(Refused::AddressUnexpected(kind)),
        Event::Start { given: None, .. } if push => Err(Refused::AddressMissing),
        Event::Start { given, progress: Progress::UnderWay } => to(State::Starting, given),
        Event::Start { given, progress: Progress::Done { issued } } => {
            to(State::Started, issue(issued)?.or(given))
        }
        Event::Started { given: Some(_) } if push => Err(Refused::AddressUnexpected(kind)),
        Event::Started { given } => to(State::Started, given),
        // To the owner of the address a given one says nothing new; control planes send it along.
        Event::Resume { given, issued } => {
            to(State::Started, issue(issued)?.or(given.filter(|_| !flow.owns_address())))
        }
        Event::FinishedPreparing { issued } => to(State::Prepared, issue(issued)?),
        Event::FinishedStarting { issued } => to(State::Started, issue(issued)?),
        Event::Completed | Event::OwnCompletion => to(State::Completed, None),
        Event::Suspend { reason } => Ok(Change { to: State::Suspended, address: None, reason }),
        Event::Terminate { reason } => Ok(Change { to: State::Terminated, address: None, reason }),
    }
}

/// The owner of the address issues one, and nobody else does.
fn issued_by_owner(
    flow: &Flow,
    kind: Kind,
    issued: Option<DataAddress>,
) -> Result<Option<DataAddress>, Refused> {
    match issued.is_some() == flow.owns_address() {
        true => Ok(issued),
        false => Err(Refused::Issuing(kind)),
    }
}

/// The owner shows its address with every answer that makes it usable.
fn shown_address(flow: &Flow, kind: Kind) -> Option<DataAddress> {
    let tells = matches!(
        kind,
        Kind::Prepare | Kind::Start | Kind::Resume | Kind::FinishedPreparing | Kind::FinishedStarting
    );
    let usable = matches!(flow.state, State::Prepared | State::Started);
    flow.data_address.clone().filter(|_| tells && usable && flow.owns_address())
}

fn callback(kind: Kind, answer: &Answer) -> Option<Callback> {
    let kind = match kind {
        Kind::FinishedPreparing => CallbackKind::Prepared,
        Kind::FinishedStarting => CallbackKind::Started,
        Kind::OwnCompletion => CallbackKind::Completed,
        _ => return None,
    };
    Some(Callback { kind, state: answer.state, data_address: answer.data_address.clone(), error: None })
}
