//! Why a message does not count.

use super::{Kind, Mismatch, State};
use crate::process::Role;

/// Why a message was not taken (inbound) or may not be sent (outbound). The negotiation has not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The message has no arrow from this state. Answer 400 with `ContractNegotiationError`.
    #[error("the {by} may not send a {kind} {}; {}", described(*.from), legal(.expected))]
    Illegal {
        /// The state of the negotiation; none before the first message.
        from: Option<State>,
        /// Who sent it.
        by: Role,
        /// What was sent.
        kind: Kind,
        /// What would have been legal.
        expected: Vec<Kind>,
    },
    /// The message cannot be judged until the peer has answered ours. Answer 503 with `Retry-After`; or, for
    /// a message of our own, send it later.
    #[error(
        "the {kind} has to wait until the {in_flight} that is under way has been answered; try again shortly"
    )]
    Busy {
        /// What was sent.
        kind: Kind,
        /// What is under way.
        in_flight: Kind,
    },
    /// The body names another process of the peer than the one this negotiation is with.
    #[error("the message names the {by}'s process '{found}', but this negotiation is with another one")]
    OtherProcess {
        /// Whose process id it is.
        by: Role,
        /// What the message says.
        found: String,
    },
    /// The contents do not fit the negotiation.
    #[error("the {kind} does not fit the negotiation: {mismatch}")]
    Unfit {
        /// What was sent.
        kind: Kind,
        /// What does not fit.
        #[source]
        mismatch: Mismatch,
    },
    /// The two parties have exchanged too many offers.
    #[error("the negotiation has reached {max} offers; accept the last one or terminate")]
    TooManyOffers {
        /// The limit.
        max: usize,
    },
}

fn described(state: Option<State>) -> String {
    match state {
        None => "before the negotiation has begun".to_owned(),
        Some(state) => format!("in state {state}"),
    }
}

fn legal(kinds: &[Kind]) -> String {
    match kinds {
        [] => "nothing is legal there".to_owned(),
        kinds => {
            let names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
            format!("legal there: {}", names.join(", "))
        }
    }
}
