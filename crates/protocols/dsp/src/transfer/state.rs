//! The five states.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a transfer process (DSP 2025-1 §"Transfer Process States"), in the order of the
/// specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// The consumer has asked for the data.
    Requested,
    /// The data may flow.
    Started,
    /// All data has been transferred. Terminal.
    Completed,
    /// One of them has paused the flow.
    Suspended,
    /// One of them has ended the transfer. Terminal.
    Terminated,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Requested, Self::Started, Self::Completed, Self::Suspended, Self::Terminated];

    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Terminated)
    }

    /// The state as it is written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Started => "STARTED",
            Self::Completed => "COMPLETED",
            Self::Suspended => "SUSPENDED",
            Self::Terminated => "TERMINATED",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
