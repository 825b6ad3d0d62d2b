//! The arrows: which message of whom leads from which state to which.
//!
//! The sources of DSP 2025-1 disagree. The state figure (`contract.negotiation.state.machine.puml`) lets only
//! one party terminate from ACCEPTED, AGREED and VERIFIED; the prose lets both, in any state. The figure has
//! no OFFERED → OFFERED, the reference implementation of the conformance suite has it. Both are decided for
//! the wider reading here: a peer that takes the narrow one is never surprised, as what we send is decided
//! elsewhere.

use super::{Kind, State};
use crate::process::Role;

/// Where an arrow comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The state figure of DSP 2025-1.
    Figure,
    /// The prose of DSP 2025-1 only: a termination "MAY be sent at any state".
    Prose,
    /// Neither; decided, because implementations do it.
    Decided,
}

/// One legal step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arrow {
    /// The state before; none for the first message of a negotiation.
    pub from: Option<State>,
    /// Who sends the message.
    pub by: Role,
    /// The message.
    pub kind: Kind,
    /// The state after.
    pub to: State,
    /// Where the arrow comes from.
    pub source: Source,
}

const fn arrow(from: Option<State>, by: Role, kind: Kind, to: State, source: Source) -> Arrow {
    Arrow { from, by, kind, to, source }
}

/// Every legal step, in the order of the states.
pub const ARROWS: &[Arrow] = &[
    arrow(None, Role::Consumer, Kind::Request, State::Requested, Source::Figure),
    arrow(None, Role::Provider, Kind::Offer, State::Offered, Source::Figure),
    arrow(Some(State::Requested), Role::Provider, Kind::Offer, State::Offered, Source::Figure),
    arrow(Some(State::Requested), Role::Provider, Kind::Agree, State::Agreed, Source::Figure),
    arrow(Some(State::Requested), Role::Consumer, Kind::Terminate, State::Terminated, Source::Figure),
    arrow(Some(State::Requested), Role::Provider, Kind::Terminate, State::Terminated, Source::Figure),
    arrow(Some(State::Offered), Role::Consumer, Kind::Request, State::Requested, Source::Figure),
    arrow(Some(State::Offered), Role::Provider, Kind::Offer, State::Offered, Source::Decided),
    arrow(Some(State::Offered), Role::Consumer, Kind::Accept, State::Accepted, Source::Figure),
    arrow(Some(State::Offered), Role::Consumer, Kind::Terminate, State::Terminated, Source::Figure),
    arrow(Some(State::Offered), Role::Provider, Kind::Terminate, State::Terminated, Source::Figure),
    arrow(Some(State::Accepted), Role::Provider, Kind::Agree, State::Agreed, Source::Figure),
    arrow(Some(State::Accepted), Role::Consumer, Kind::Terminate, State::Terminated, Source::Prose),
    arrow(Some(State::Accepted), Role::Provider, Kind::Terminate, State::Terminated, Source::Figure),
    arrow(Some(State::Agreed), Role::Consumer, Kind::Verify, State::Verified, Source::Figure),
    arrow(Some(State::Agreed), Role::Consumer, Kind::Terminate, State::Terminated, Source::Figure),
    arrow(Some(State::Agreed), Role::Provider, Kind::Terminate, State::Terminated, Source::Prose),
    arrow(Some(State::Verified), Role::Provider, Kind::Finalize, State::Finalized, Source::Figure),
    arrow(Some(State::Verified), Role::Consumer, Kind::Terminate, State::Terminated, Source::Prose),
    arrow(Some(State::Verified), Role::Provider, Kind::Terminate, State::Terminated, Source::Figure),
];

/// The state after a message of `kind` that `by` sends in state `from`; none if that is illegal.
#[must_use]
pub fn next(from: Option<State>, by: Role, kind: Kind) -> Option<State> {
    ARROWS.iter().find(|arrow| (arrow.from, arrow.by, arrow.kind) == (from, by, kind)).map(|arrow| arrow.to)
}

/// What `by` may send in state `from`.
#[must_use]
pub fn legal_kinds(from: Option<State>, by: Role) -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|kind| next(from, by, *kind).is_some()).collect()
}
