//! Why a message does not count.

use super::{DataPlaneStep, Kind, Mismatch, State};
use crate::process::Role;

/// Why a message was not taken (inbound) or may not be sent (outbound). The process has not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The message has no arrow from this state. Answer 400 with `TransferError`.
    #[error("the {by} may not send a {kind} {}; {}", described(*.from), legal(.expected))]
    Illegal {
        /// The state of the process; none before the first message.
        from: Option<State>,
        /// Who sent it.
        by: Role,
        /// What was sent.
        kind: Kind,
        /// What would have been legal.
        expected: Vec<Kind>,
    },
    /// Something else is under way. Let an inbound message wait for it, then answer 503 with `Retry-After`;
    /// send a message of our own later.
    #[error("the {kind} has to wait until {under_way} has ended; try again shortly")]
    Busy {
        /// What was sent.
        kind: Kind,
        /// What is under way.
        under_way: UnderWay,
    },
    /// No process id of the body is one of this transfer's.
    #[error("the message names the {by}'s process '{found}', but this transfer is with another one")]
    OtherProcess {
        /// Whose process id it is.
        by: Role,
        /// What the message says.
        found: String,
    },
    /// The contents do not fit the transfer.
    #[error("the {kind} does not fit the transfer: {mismatch}")]
    Unfit {
        /// What was sent.
        kind: Kind,
        /// What does not fit.
        #[source]
        mismatch: Mismatch,
    },
}

/// What a message has to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnderWay {
    /// The peer's answer to a message of ours.
    Message(Kind),
    /// The data plane.
    DataPlane(DataPlaneStep),
}

impl std::fmt::Display for UnderWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Message(kind) => write!(f, "the {kind} that is under way"),
            Self::DataPlane(step) => write!(f, "the data plane's {step}"),
        }
    }
}

fn described(state: Option<State>) -> String {
    match state {
        None => "before the transfer has been requested".to_owned(),
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
