//! The states of a flow, and the sides from which it is seen.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Direction;

/// The state of a data flow, in the order and spelling of DPS 1.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Known, and nothing has been done yet.
    Initialized,
    /// The consumer's data plane is making ready.
    Preparing,
    /// The consumer's data plane is ready.
    Prepared,
    /// The provider's data plane is starting.
    Starting,
    /// Data may flow.
    Started,
    /// Ended, with all data moved. Final.
    Completed,
    /// Held: no data may flow until it is resumed.
    Suspended,
    /// Ended for another reason. Final.
    Terminated,
}

impl State {
    /// All states, in the order of DPS 1.0.
    pub const ALL: [Self; 8] = [
        Self::Initialized,
        Self::Preparing,
        Self::Prepared,
        Self::Starting,
        Self::Started,
        Self::Completed,
        Self::Suspended,
        Self::Terminated,
    ];

    /// Whether it is final: "the state machine MUST NOT transition to another state".
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Terminated)
    }

    /// The state as it is written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initialized => "INITIALIZED",
            Self::Preparing => "PREPARING",
            Self::Prepared => "PREPARED",
            Self::Starting => "STARTING",
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

/// For which party of the transfer a data plane acts in a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The party that receives the data.
    Consumer,
    /// The party whose data it is.
    Provider,
}

impl Side {
    /// Both sides.
    pub const ALL: [Self; 2] = [Self::Consumer, Self::Provider];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Consumer => "consumer",
            Self::Provider => "provider",
        })
    }
}

/// Whether this side issues the data address: the consumer in push, the provider in pull. The owner issues a
/// new one each time the flow is resumed (DPS 1.0, suspend and resume).
#[must_use]
pub const fn owns_address(side: Side, direction: Direction) -> bool {
    matches!((side, direction), (Side::Consumer, Direction::Push) | (Side::Provider, Direction::Pull))
}
