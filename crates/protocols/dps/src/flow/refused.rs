//! Why an event is refused.

use super::{Kind, Side, State};

/// Why an event does not apply to a flow. The flow is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A push start without the address to send to.
    #[error("a start in push needs a data address, and this one has none")]
    AddressMissing,
    /// An address where there must be none.
    #[error("'{0}' must not carry a data address in this flow")]
    AddressUnexpected(Kind),
    /// A prepare or start for a flow that exists, under another message id.
    #[error("the data flow exists and is {state}; '{on}' cannot be sent twice with different message ids")]
    Exists {
        /// What was sent.
        on: Kind,
        /// The present state.
        state: State,
    },
    /// The event has no arrow from the present state.
    #[error("'{on}' is not possible: the data flow of the {side} is {state}{}", possible(.legal))]
    Illegal {
        /// What was sent.
        on: Kind,
        /// The present state.
        state: State,
        /// The side that this data plane acts for.
        side: Side,
        /// What a control plane could send instead.
        legal: Vec<Kind>,
    },
    /// A message id that came before with another kind of message.
    #[error(
        "the message id of this '{on}' was used before for '{first}'; every message needs one of its own"
    )]
    MessageIdReused {
        /// What was sent.
        on: Kind,
        /// What the id was first used for.
        first: Kind,
    },
    /// This data plane owns the address and has not issued one, or issued one that it does not own.
    #[error("this data plane must issue a data address exactly when it owns it; at '{0}' it did not")]
    Issuing(Kind),
}

/// Whose fault a refusal is; decides the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The message contradicts the present state: 409.
    Conflict,
    /// This data plane has made a mistake: 500.
    Ours,
    /// The message itself is wrong: 400.
    Request,
}

impl Refused {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::AddressMissing | Self::AddressUnexpected(_) => Fault::Request,
            Self::Exists { .. } | Self::Illegal { .. } | Self::MessageIdReused { .. } => Fault::Conflict,
            Self::Issuing(_) => Fault::Ours,
        }
    }
}

fn possible(legal: &[Kind]) -> String {
    match legal.iter().map(|kind| kind.as_str()).collect::<Vec<_>>() {
        names if names.is_empty() => String::new(),
        names => format!("; possible are: {}", names.join(", ")),
    }
}
