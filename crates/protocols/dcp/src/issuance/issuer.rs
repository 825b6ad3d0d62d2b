//! The issuer's side: an issuance process.

use serde::{Deserialize, Serialize};

use super::Illegal;
use crate::wire::RequestStatus;

/// How far an issuance process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Received and stored; attestations and rules are not decided.
    Submitted,
    /// Decided: the credentials are to be made and delivered.
    Approved,
    /// The holder has taken the delivery.
    Delivered,
    /// Refused, or delivery was given up.
    Errored,
}

/// What happens to an issuance process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Attestations and rules hold.
    Approve,
    /// The holder's credential service has answered the delivery with success.
    Delivered,
    /// Attestations or rules do not hold, or delivery is given up.
    Fail,
}

impl State {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 4] = [Self::Submitted, Self::Approved, Self::Delivered, Self::Errored];

    /// Its name in the Issuer Admin API and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Approved => "APPROVED",
            Self::Delivered => "DELIVERED",
            Self::Errored => "ERRORED",
        }
    }

    /// What the holder is told (DCP 1.0 §6.8).
    #[must_use]
    pub const fn status(self) -> RequestStatus {
        match self {
            Self::Submitted | Self::Approved => RequestStatus::Received,
            Self::Delivered => RequestStatus::Issued,
            Self::Errored => RequestStatus::Rejected,
        }
    }

    /// Whether nothing more is to be done.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Errored)
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 3] = [Self::Approve, Self::Delivered, Self::Fail];

    /// Its name in messages and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Delivered => "delivered",
            Self::Fail => "fail",
        }
    }
}

/// The arrows. Source: DCP 1.0 §6.4 to §6.8, which leave the states to the implementation.
pub const ARROWS: &[(State, Event, State)] = &[
    (State::Submitted, Event::Approve, State::Approved),
    (State::Submitted, Event::Fail, State::Errored),
    (State::Approved, Event::Delivered, State::Delivered),
    (State::Approved, Event::Fail, State::Errored),
    // A delivery that ran twice because its first success was not recorded.
    (State::Delivered, Event::Delivered, State::Delivered),
];

/// The state after `event`.
///
/// # Errors
/// [`Illegal`] when there is no such arrow; the state stays.
pub fn next(state: State, event: Event) -> Result<State, Illegal> {
    let arrow = ARROWS.iter().find(|(from, on, _)| (*from, *on) == (state, event));
    arrow.map(|(_, _, to)| *to).ok_or(Illegal {
        machine: "issuance process",
        state: state.name(),
        event: event.name(),
    })
}
