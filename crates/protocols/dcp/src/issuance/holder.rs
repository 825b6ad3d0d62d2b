//! The holder's side: a credential request.

use serde::{Deserialize, Serialize};

use super::Illegal;

/// How far a credential request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Stored, not sent.
    Created,
    /// Being sent; the issuer may have it or not.
    Requesting,
    /// The issuer has accepted it.
    Requested,
    /// The credentials are here. The issuer may deliver them again, or newer ones.
    Issued,
    /// The issuer has refused.
    Rejected,
    /// It could not be sent, or the issuer did not answer in time.
    Error,
}

/// What happens to a credential request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// We begin (or begin again) to send it.
    Send,
    /// The issuer answered that it accepts the request (201 with a location).
    Accepted,
    /// A `CredentialMessage` with status ISSUED came and passed its checks.
    Delivered,
    /// A `CredentialMessage` with status REJECTED came, or the issuer answered with a refusal.
    Refused,
    /// We give up.
    Failed,
}

impl State {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 6] =
        [Self::Created, Self::Requesting, Self::Requested, Self::Issued, Self::Rejected, Self::Error];

    /// Its name in the Identity API and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Requesting => "REQUESTING",
            Self::Requested => "REQUESTED",
            Self::Issued => "ISSUED",
            Self::Rejected => "REJECTED",
            Self::Error => "ERROR",
        }
    }

    /// Whether nothing more is to be done by us. An issued request still takes deliveries.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Issued | Self::Rejected | Self::Error)
    }
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 5] = [Self::Send, Self::Accepted, Self::Delivered, Self::Refused, Self::Failed];

    /// Its name in messages and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// The arrows. Source: DCP 1.0 §6.4 and §6.5, which leave the states to the implementation.
pub const ARROWS: &[(State, Event, State)] = &[
    (State::Created, Event::Send, State::Requesting),
    (State::Created, Event::Failed, State::Error),
    (State::Requesting, Event::Send, State::Requesting),
    (State::Requesting, Event::Accepted, State::Requested),
    (State::Requesting, Event::Refused, State::Rejected),
    (State::Requesting, Event::Failed, State::Error),
    // The delivery overtakes the answer to the request: it proves that the issuer has accepted …
    (State::Requesting, Event::Delivered, State::Issued),
    (State::Requested, Event::Delivered, State::Issued),
    (State::Requested, Event::Refused, State::Rejected),
    (State::Requested, Event::Failed, State::Error),
    // … and the late answer changes nothing, whether it is an acceptance or the repeat of a request.
    (State::Issued, Event::Accepted, State::Issued),
    (State::Rejected, Event::Accepted, State::Rejected),
    // An issuer repeats a delivery whose answer it lost, and reissues under the same request.
    (State::Issued, Event::Delivered, State::Issued),
    // It repeats a rejection for the same reason.
    (State::Rejected, Event::Refused, State::Rejected),
];

/// The state after `event`.
///
/// # Errors
/// [`Illegal`] when there is no such arrow; the state stays.
pub fn next(state: State, event: Event) -> Result<State, Illegal> {
    let arrow = ARROWS.iter().find(|(from, on, _)| (*from, *on) == (state, event));
    arrow.map(|(_, _, to)| *to).ok_or(Illegal {
        machine: "credential request",
        state: state.name(),
        event: event.name(),
    })
}
