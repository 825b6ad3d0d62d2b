//! A message in flight as the wire has it: which path of the peer, which body.

use serde::Serialize;

use super::{Message, TransferProcess};
use crate::{
    process::{InFlight, PeerPid, Role},
    wire::{self, Context, Is},
};

/// A message ready to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Outbound {
    /// Path below [`TransferProcess::counter_party_address`]; begins with `/`.
    pub path: String,
    /// The body.
    pub body: Body,
}

/// The body of a transfer message.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Body {
    /// The consumer asks.
    Request(Box<wire::TransferRequestMessage>),
    /// Started or resumed.
    Start(wire::TransferStartMessage),
    /// Paused.
    Suspension(wire::TransferSuspensionMessage),
    /// All data transferred.
    Completion(wire::TransferCompletionMessage),
    /// Ended.
    Termination(wire::TransferTerminationMessage),
}

/// Writes the message in flight (DSP 2025-1 §"Transfer Process HTTPS Binding").
///
/// `callback_address` is our own base URL; a request carries it. None if the message needs the peer's process
/// id and the peer has not told it, which `send` prevents.
#[must_use]
pub fn outbound(
    process: &TransferProcess,
    flight: &InFlight<Message>,
    callback_address: &str,
) -> Option<Outbound> {
    let id = Some(flight.message_id.clone());
    let context = Context;
    if let Message::Request(data_address) = &flight.message {
        let body = wire::TransferRequestMessage {
            context,
            kind: Is::new(),
            id,
            consumer_pid: process.consumer_pid()?,
            agreement_id: process.agreement_id.clone(),
            format: process.format.clone(),
            data_address: data_address.as_deref().cloned(),
            callback_address: callback_address.to_owned(),
        };
        let path = wire::process_path("transfers", None, "request");
        return Some(Outbound { path, body: Body::Request(Box::new(body)) });
    }
    let (provider_pid, consumer_pid) = (process.provider_pid()?, process.consumer_pid()?);
    let (suffix, body) = match flight.message.clone() {
        Message::Request(address) | Message::Start(address) => {
            let data_address = address.map(|address| *address);
            let kind = Is::new();
            let body =
                wire::TransferStartMessage { context, kind, id, provider_pid, consumer_pid, data_address };
            ("start", Body::Start(body))
        }
        Message::Suspend(why) => {
            let (kind, code, reason) = (Is::new(), why.code, why.reason);
            let body = wire::TransferSuspensionMessage {
                context,
                kind,
                id,
                provider_pid,
                consumer_pid,
                code,
                reason,
            };
            ("suspension", Body::Suspension(body))
        }
        Message::Complete => {
            let kind = Is::new();
            let body = wire::TransferCompletionMessage { context, kind, id, provider_pid, consumer_pid };
            ("completion", Body::Completion(body))
        }
        Message::Terminate(why) => {
            let (kind, code, reason) = (Is::new(), why.code, why.reason);
            let body = wire::TransferTerminationMessage {
                context,
                kind,
                id,
                provider_pid,
                consumer_pid,
                code,
                reason,
            };
            ("termination", Body::Termination(body))
        }
    };
    Some(Outbound { path: wire::process_path("transfers", process.peer_pid(), suffix), body })
}

impl TransferProcess {
    /// The answer to a request and to `GET` (DSP 2025-1, `TransferProcess`); none before both process ids and
    /// the state are known.
    #[must_use]
    pub fn to_wire(&self) -> Option<wire::TransferProcess> {
        Some(wire::TransferProcess {
            context: Context,
            kind: Is::new(),
            provider_pid: self.provider_pid()?,
            consumer_pid: self.consumer_pid()?,
            state: self.state?,
        })
    }

    /// Where the peer shows its state, below [`TransferProcess::counter_party_address`]; none before it has told its
    /// process id. What it answers is for [`super::observed`].
    #[must_use]
    pub fn peer_path(&self) -> Option<String> {
        Some(wire::peer_path("transfers", self.peer_pid.as_ref()?))
    }

    /// An error about this transfer, with both process ids.
    #[must_use]
    pub fn to_error(&self, code: &str, reason: &str) -> wire::TransferError {
        let text = |role: Role| match (self.role == role, self.peer_pid.as_ref().map(PeerPid::as_str)) {
            (true, _) => self.id.as_str().to_owned(),
            (false, peer) => peer.unwrap_or_default().to_owned(),
        };
        wire::TransferError::new(text(Role::Provider), text(Role::Consumer), code, reason)
    }
}
