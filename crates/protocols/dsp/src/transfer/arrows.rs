//! The arrows: which message of whom leads from which state to which.

use super::{Kind, State};
use crate::process::Role;

/// Where an arrow comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The state figure of DSP 2025-1 (`transfer-process-state-machine.puml`). The prose of
    /// `TransferStartMessage` names the provider alone as its sender; the figure and the HTTPS binding let
    /// the consumer resume.
    Figure,
    /// Not in DSP 2025-1; decided, because Data Plane Signaling has the owner of the address answer a resume
    /// so.
    Decided,
}

/// One legal step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arrow {
    /// The state before; none for the first message of a transfer.
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

const fn arrow(from: Option<State>, by: Role, kind: Kind, to: State) -> Arrow {
    Arrow { from, by, kind, to, source: Source::Figure }
}

/// Every legal step, in the order of the states.
pub const ARROWS: &[Arrow] = &[
    arrow(None, Role::Consumer, Kind::Request, State::Requested),
    arrow(Some(State::Requested), Role::Provider, Kind::Start, State::Started),
    arrow(Some(State::Requested), Role::Consumer, Kind::Terminate, State::Terminated),
    arrow(Some(State::Requested), Role::Provider, Kind::Terminate, State::Terminated),
    arrow(Some(State::Started), Role::Consumer, Kind::Complete, State::Completed),
    arrow(Some(State::Started), Role::Provider, Kind::Complete, State::Completed),
    arrow(Some(State::Started), Role::Consumer, Kind::Suspend, State::Suspended),
    arrow(Some(State::Started), Role::Provider, Kind::Suspend, State::Suspended),
    arrow(Some(State::Started), Role::Consumer, Kind::Terminate, State::Terminated),
    arrow(Some(State::Started), Role::Provider, Kind::Terminate, State::Terminated),
    arrow(Some(State::Suspended), Role::Consumer, Kind::Start, State::Started),
    arrow(Some(State::Suspended), Role::Provider, Kind::Start, State::Started),
    arrow(Some(State::Suspended), Role::Consumer, Kind::Terminate, State::Terminated),
    arrow(Some(State::Suspended), Role::Provider, Kind::Terminate, State::Terminated),
];

const fn address_arrow(by: Role) -> Arrow {
    let started = State::Started;
    Arrow { from: Some(started), by, kind: Kind::Start, to: started, source: Source::Decided }
}

/// Legal only for the owner of the data address, once, after a resume of the other party: the start that
/// brings it.
pub const ADDRESS_ARROWS: &[Arrow] = &[address_arrow(Role::Consumer), address_arrow(Role::Provider)];

/// The state after a message of `kind` that `by` sends in state `from`; none if that is illegal. Without
/// [`ADDRESS_ARROWS`].
#[must_use]
pub fn next(from: Option<State>, by: Role, kind: Kind) -> Option<State> {
    ARROWS.iter().find(|arrow| (arrow.from, arrow.by, arrow.kind) == (from, by, kind)).map(|arrow| arrow.to)
}

/// What `by` may send in state `from`. Without [`ADDRESS_ARROWS`].
#[must_use]
pub fn legal_kinds(from: Option<State>, by: Role) -> Vec<Kind> {
    Kind::ALL.into_iter().filter(|kind| next(from, by, *kind).is_some()).collect()
}
