//! What negotiations and transfers share: who plays which role, process ids, messages in flight.
//!
//! Deliberately absent: the rules of either machine.

use std::{collections::VecDeque, fmt};

use heddle_clock::Timestamp;
use heddle_ids::{ConsumerPid, InvalidId, MessageId, ProviderPid};
use serde::{Deserialize, Serialize};

/// The part that a participant plays in one process (DSP 2025-1 §"Terminology").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Asks for a dataset.
    Consumer,
    /// Offers a dataset.
    Provider,
}

impl Role {
    /// Both, in the order of the specification.
    pub const ALL: [Self; 2] = [Self::Consumer, Self::Provider];

    /// The role of the counter-party.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Consumer => Self::Provider,
            Self::Provider => Self::Consumer,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Consumer => "consumer",
            Self::Provider => "provider",
        })
    }
}

/// The process id that the counter-party chose. Opaque.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PeerPid {
    /// The peer is the consumer.
    Consumer(ConsumerPid),
    /// The peer is the provider.
    Provider(ProviderPid),
}

impl PeerPid {
    /// The process id of a peer that plays `role`.
    pub fn parse(role: Role, text: impl Into<String>) -> Result<Self, InvalidId> {
        match role {
            Role::Consumer => ConsumerPid::parse(text).map(Self::Consumer),
            Role::Provider => ProviderPid::parse(text).map(Self::Provider),
        }
    }

    /// The role of the peer.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Consumer(_) => Role::Consumer,
            Self::Provider(_) => Role::Provider,
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Consumer(pid) => pid.as_str(),
            Self::Provider(pid) => pid.as_str(),
        }
    }
}

impl From<ConsumerPid> for PeerPid {
    fn from(pid: ConsumerPid) -> Self {
        Self::Consumer(pid)
    }
}

impl From<ProviderPid> for PeerPid {
    fn from(pid: ProviderPid) -> Self {
        Self::Provider(pid)
    }
}

/// A message that we have sent, or are about to send, and that the peer has not acknowledged yet.
///
/// It is stored with the process, so a crash between storing and sending loses nothing: whoever comes next
/// sends it again with the same id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InFlight<M> {
    /// `@id` of the message; the same for every attempt.
    pub message_id: MessageId,
    /// The message.
    pub message: M,
    /// When it was recorded.
    pub since: Timestamp,
    /// The peer has sent the same meanwhile. If it then refuses ours as illegal, that is no failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overtaken: bool,
}

impl<M> InFlight<M> {
    /// A message that goes under way now.
    pub const fn new(message_id: MessageId, message: M, now: Timestamp) -> Self {
        Self { message_id, message, since: now, overtaken: false }
    }
}

/// A message that came from the peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound<M> {
    /// The message.
    pub message: M,
    /// `@id`, with which a repeat is recognised. A message without one is always new.
    pub message_id: Option<MessageId>,
    /// The peer's process id in the body, when the body is to be held against the process.
    pub peer_pid: Option<PeerPid>,
}

impl<M> Inbound<M> {
    /// A message with an id and without a process id to compare.
    pub const fn new(message: M, message_id: MessageId) -> Self {
        Self { message, message_id: Some(message_id), peer_pid: None }
    }

    /// The same message, from the process `pid` of the peer.
    #[must_use]
    pub fn from_process(mut self, pid: impl Into<PeerPid>) -> Self {
        self.peer_pid = Some(pid.into());
        self
    }
}

/// Why a message will not be sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The peer answered that it does not take it, or it was never sent. The peer has not acted on the message.
    Refused(String),
    /// It was sent, and no answer came within all attempts. The peer may have acted on the message or not.
    Unanswered(String),
}

impl Failure {
    /// The reason in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused(reason) | Self::Unanswered(reason) => reason,
        }
    }
}

/// Why and by whom a process was suspended or terminated (members `code` and `reason`).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// A code that the sender defines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Reasons; of any JSON type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reason: Vec<serde_json::Value>,
}

impl Explanation {
    /// A code and one reason in words.
    pub fn new(code: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { code: Some(code.into()), reason: vec![serde_json::Value::String(reason.into())] }
    }
}

/// The ids of the messages that a process took last, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReceivedIds(VecDeque<MessageId>);

impl ReceivedIds {
    /// How many ids are kept. A peer repeats a message within minutes, not after 64 others.
    pub const IDS_MAX: usize = 64;

    /// Whether the message was taken before.
    #[must_use]
    pub fn contains(&self, id: &MessageId) -> bool {
        self.0.contains(id)
    }

    pub(crate) fn record(&mut self, id: Option<MessageId>) {
        let Some(id) = id else { return };
        if self.0.len() >= Self::IDS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_ids_are_kept() {
        let id = |n: usize| MessageId::parse(format!("m{n}")).expect("legal");
        let mut received = ReceivedIds::default();
        for n in 0..=ReceivedIds::IDS_MAX {
            received.record(Some(id(n)));
        }
        assert!(!received.contains(&id(0)));
        assert!(received.contains(&id(1)) && received.contains(&id(ReceivedIds::IDS_MAX)));
    }

    #[test]
    fn a_message_without_an_id_leaves_no_mark() {
        let mut received = ReceivedIds::default();
        received.record(None);
        assert_eq!(received, ReceivedIds::default());
    }
}
