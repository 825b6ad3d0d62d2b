//! The arrows of the machine, each with its source.

use super::{Kind, Side, State, owns_address};
use crate::Direction;

/// Whose flows may go along an arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Consumers and providers, push and pull.
    Anyone,
    /// Consumers.
    Consumer,
    /// The side that sees when all data has moved: the provider in push, the consumer in pull.
    Finisher,
    /// Providers.
    Provider,
}

impl Who {
    /// Whether it includes a side in a direction.
    #[must_use]
    pub const fn includes(self, side: Side, direction: Direction) -> bool {
        match self {
            Self::Anyone => true,
            Self::Consumer => matches!(side, Side::Consumer),
            Self::Finisher => !owns_address(side, direction),
            Self::Provider => matches!(side, Side::Provider),
        }
    }
}

/// One arrow: in `from`, `on` leads to `to`. Where `from` and `to` are the same it is a repeat, answered from
/// the present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrow {
    /// The state before.
    pub from: State,
    /// What happens.
    pub on: Kind,
    /// The state after.
    pub to: State,
    /// Whose flows.
    pub who: Who,
}

const fn arrow(from: State, on: Kind, to: State, who: Who) -> Arrow {
    Arrow { from, on, to, who }
}

/// Every arrow. What is not here is refused.
pub const ARROWS: &[Arrow] = &[
    // DPS 1.0, state machine: prepare and start, answered at once or later.
    arrow(State::Initialized, Kind::Prepare, State::Prepared, Who::Consumer),
    arrow(State::Initialized, Kind::Prepare, State::Preparing, Who::Consumer),
    arrow(State::Preparing, Kind::FinishedPreparing, State::Prepared, Who::Consumer),
    arrow(State::Initialized, Kind::Start, State::Started, Who::Provider),
    arrow(State::Initialized, Kind::Start, State::Starting, Who::Provider),
    arrow(State::Starting, Kind::FinishedStarting, State::Started, Who::Provider),
    // DPS 1.0, started notification: consumers only, synchronous.
    arrow(State::Prepared, Kind::Started, State::Started, Who::Consumer),
    // DPS 1.0, state machine: "all other transitions MUST be performed synchronously".
    arrow(State::Started, Kind::Suspend, State::Suspended, Who::Anyone),
    arrow(State::Suspended, Kind::Resume, State::Started, Who::Anyone),
    // DPS 1.0 names the receiver of `completed` per direction, but a control plane also passes on the
    // completion that its counter-party reported, and an endless flow is completed by hand: all accept it.
    arrow(State::Started, Kind::Completed, State::Completed, Who::Anyone),
    // DPS 1.0, completed callback: "push: from provider; pull: from consumer".
    arrow(State::Started, Kind::OwnCompletion, State::Completed, Who::Finisher),
    // DPS 1.0, state machine: terminate from any state that is not terminal.
    arrow(State::Initialized, Kind::Terminate, State::Terminated, Who::Anyone),
    arrow(State::Preparing, Kind::Terminate, State::Terminated, Who::Anyone),
    arrow(State::Prepared, Kind::Terminate, State::Terminated, Who::Anyone),
    arrow(State::Starting, Kind::Terminate, State::Terminated, Who::Anyone),
    arrow(State::Started, Kind::Terminate, State::Terminated, Who::Anyone),
    arrow(State::Suspended, Kind::Terminate, State::Terminated, Who::Anyone),
    // Ours: DPS is silent about repeats under a new message id. A peer whose answer was lost repeats; refusing
    // would end a transfer that is well. Prepare and start are not here: DPS demands that a second one fails.
    arrow(State::Prepared, Kind::FinishedPreparing, State::Prepared, Who::Consumer),
    arrow(State::Started, Kind::FinishedStarting, State::Started, Who::Provider),
    arrow(State::Started, Kind::Started, State::Started, Who::Consumer),
    arrow(State::Started, Kind::Resume, State::Started, Who::Anyone),
    arrow(State::Suspended, Kind::Suspend, State::Suspended, Who::Anyone),
    arrow(State::Completed, Kind::Completed, State::Completed, Who::Anyone),
    arrow(State::Completed, Kind::OwnCompletion, State::Completed, Who::Finisher),
    arrow(State::Terminated, Kind::Terminate, State::Terminated, Who::Anyone),
];

/// The states to which `on` may lead from `from`; none when it is illegal there. More than one where the data
/// plane may answer at once or later.
pub fn targets(from: State, on: Kind, side: Side, direction: Direction) -> impl Iterator<Item = State> {
    let legal =
        move |arrow: &&Arrow| arrow.from == from && arrow.on == on && arrow.who.includes(side, direction);
    ARROWS.iter().filter(legal).map(|arrow| arrow.to)
}
