//! Messages, events and effects as data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{State, TransferProcess};
use crate::{
    process::{Explanation, InFlight, Role},
    wire,
};

/// Who fetches or sends the data. It decides who owns the data address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Flow {
    /// The consumer fetches from an address of the provider.
    Pull,
    /// The provider sends to an address of the consumer.
    Push,
}

impl Flow {
    /// The party whose address it is.
    #[must_use]
    pub const fn address_owner(self) -> Role {
        match self {
            Self::Pull => Role::Provider,
            Self::Push => Role::Consumer,
        }
    }
}

/// What a message does, without its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// `TransferRequestMessage`.
    Request,
    /// `TransferStartMessage`.
    Start,
    /// `TransferSuspensionMessage`.
    Suspend,
    /// `TransferCompletionMessage`.
    Complete,
    /// `TransferTerminationMessage`.
    Terminate,
}

impl Kind {
    /// All of them, in the order of the specification.
    pub const ALL: [Self; 5] = [Self::Request, Self::Start, Self::Suspend, Self::Complete, Self::Terminate];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Start => "start",
            Self::Suspend => "suspension",
            Self::Complete => "completion",
            Self::Terminate => "termination",
        })
    }
}

/// A message of the transfer protocol without what the process knows (process ids, agreement, format,
/// addresses).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Message {
    /// The consumer asks for the data; with its address for push.
    Request(Option<Box<wire::DataAddress>>),
    /// The provider starts, or either party resumes; with the address if it is the sender's.
    Start(Option<Box<wire::DataAddress>>),
    /// Either party pauses.
    Suspend(Explanation),
    /// Either party says that all data has been transferred.
    Complete,
    /// Either party ends the transfer.
    Terminate(Explanation),
}

impl Message {
    /// What the message does.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Request(_) => Kind::Request,
            Self::Start(_) => Kind::Start,
            Self::Suspend(_) => Kind::Suspend,
            Self::Complete => Kind::Complete,
            Self::Terminate(_) => Kind::Terminate,
        }
    }
}

impl From<wire::TransferRequestMessage> for Message {
    fn from(message: wire::TransferRequestMessage) -> Self {
        Self::Request(message.data_address.map(Box::new))
    }
}

impl From<wire::TransferStartMessage> for Message {
    fn from(message: wire::TransferStartMessage) -> Self {
        Self::Start(message.data_address.map(Box::new))
    }
}

impl From<wire::TransferSuspensionMessage> for Message {
    fn from(message: wire::TransferSuspensionMessage) -> Self {
        Self::Suspend(Explanation { code: message.code, reason: message.reason })
    }
}

impl From<wire::TransferCompletionMessage> for Message {
    fn from(_: wire::TransferCompletionMessage) -> Self {
        Self::Complete
    }
}

impl From<wire::TransferTerminationMessage> for Message {
    fn from(message: wire::TransferTerminationMessage) -> Self {
        Self::Terminate(Explanation { code: message.code, reason: message.reason })
    }
}

/// Something that happened to a transfer, for whoever watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    /// We have decided to begin it; the provider does not know yet.
    Initiated,
    /// It came into this state.
    Entered(State),
    /// The owner has answered a resume; the data address is new.
    AddressRenewed,
}

impl Event {
    /// The last part of the event's name, such as `started`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Entered(State::Requested) => "requested",
            Self::Entered(State::Started) | Self::AddressRenewed => "started",
            Self::Entered(State::Completed) => "completed",
            Self::Entered(State::Suspended) => "suspended",
            Self::Entered(State::Terminated) => "terminated",
        }
    }
}

/// What the caller has to do in the same commit that stores the process.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Enqueue sending this message; it is now [`TransferProcess::in_flight`].
    Send(InFlight<Message>),
    /// Tell whoever watches.
    Emit(Event),
}

/// The outcome of a function of this module.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The process as it is now.
    pub process: TransferProcess,
    /// What to do, in this order.
    pub effects: Vec<Effect>,
    /// Nothing has changed: the call repeated something already done, or came too late to matter. A repeated
    /// message gets the answer that the first one got.
    pub replay: bool,
}

impl Step {
    pub(super) fn moved(process: TransferProcess, effects: Vec<Effect>) -> Self {
        Self { process, effects, replay: false }
    }

    pub(super) fn replayed(process: &TransferProcess) -> Self {
        Self { process: process.clone(), effects: Vec::new(), replay: true }
    }
}
