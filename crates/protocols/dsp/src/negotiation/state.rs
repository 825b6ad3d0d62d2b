//! The seven states.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a negotiation (DSP 2025-1 §"Contract Negotiation States"), in the order of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// The consumer has asked; the last offer is the consumer's.
    Requested,
    /// The provider has made an offer; the last offer is the provider's.
    Offered,
    /// The consumer has accepted the provider's offer.
    Accepted,
    /// The provider has agreed to the last offer.
    Agreed,
    /// The consumer has confirmed the agreement.
    Verified,
    /// The agreement binds both. Terminal.
    Finalized,
    /// One of them has ended the negotiation. Terminal.
    Terminated,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Offered,
        Self::Accepted,
        Self::Agreed,
        Self::Verified,
        Self::Finalized,
        Self::Terminated,
    ];

    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Finalized | Self::Terminated)
    }

    /// The state as it is written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Offered => "OFFERED",
            Self::Accepted => "ACCEPTED",
            Self::Agreed => "AGREED",
            Self::Verified => "VERIFIED",
            Self::Finalized => "FINALIZED",
            Self::Terminated => "TERMINATED",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
