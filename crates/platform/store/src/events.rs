//! Facts for others: what has happened, in an order that a cursor can follow without a gap.

use std::{fmt, str::FromStr};

use heddle_clock::Timestamp;
use heddle_telemetry::TraceContext;
use heddle_tenancy::Owner;
use serde::Serialize;

/// Position of an event in the installation's order. Cursors compare as numbers; the beginning is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventCursor(pub u64);

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for EventCursor {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// An event that commits with the change that it tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its type, such as `contract.negotiation.finalized`.
    pub kind: String,
    /// The aggregate that it is about.
    pub subject: String,
    /// The payload, as JSON text.
    pub payload: String,
}

impl NewEvent {
    /// An event of type `kind` about `subject`.
    ///
    /// # Panics
    /// When `payload` does not serialise to JSON, which is a defect of its type.
    pub fn new(kind: impl Into<String>, subject: impl Into<String>, payload: &impl Serialize) -> Self {
        let payload = serde_json::to_string(payload).expect("an event payload serialises");
        Self { kind: kind.into(), subject: subject.into(), payload }
    }
}

/// An event that was committed and has its place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place: larger than that of every event that was visible before.
    pub cursor: EventCursor,
    /// Whose event it is.
    pub owner: Owner,
    /// Its type.
    pub kind: String,
    /// The aggregate that it is about.
    pub subject: String,
    /// The payload, as JSON text.
    pub payload: String,
    /// When it was committed.
    pub at: Timestamp,
    /// The trace of the work that caused it.
    pub trace: Option<TraceContext>,
}
