//! Transfer processes, as provider and as consumer.
//!
//! The machine is `heddle_dsp::transfer`; here it gets a database, policies, a wire, and a data plane. A transfer
//! has two kinds of work: messages to the peer, and signals to the data plane. Each kind happens one after the other in
//! the order in which it was decided, and neither holds up the other: a peer that lets a message wait delays no stop.
//! Only the message that tells of a stop waits until the data plane has been told, or has missed it often:
//!
//! | role | what happens | signal | then |
//! | --- | --- | --- | --- |
//! | consumer | its owner asks for a transfer | prepare | request to the provider |
//! | provider | a request arrives | start | start message, with the address for pull |
//! | consumer | the start arrives | started, with the address | the event `started` |
//! | either | its owner suspends, resumes, completes, terminates | the same | the message |
//! | either | the peer suspends, completes, terminates | the same | the event, now that no byte flows any more |
//! | either | the peer resumes | the same | the address, if we own it |
//!
//! Addresses open doors, so they are sealed before the machine sees them, and opened where they are sent (`address`).

mod address;
mod answered;
mod callbacks;
mod commands;
mod decision;
mod inbound;
mod plane_client;
mod plane_failure;
mod plane_token;
mod record;
mod sending;
mod settle;
mod signalling;
mod signals;
mod trouble;

use std::sync::Arc;

use heddle_store::Worker;

pub(crate) use callbacks::{Callback, CallbackError};
pub(crate) use commands::NewTransfer;
pub(crate) use inbound::InboundTransfer;
pub(crate) use plane_token::PlaneTokens;
pub(crate) use record::TransferRecord;

use crate::ControlPlane;

/// The kind of the jobs that send messages.
pub(crate) const SEND: &str = "transfer.send";
/// The kind of the jobs that signal to data planes.
pub(crate) const SIGNAL: &str = "transfer.signal";

/// Registers the jobs of transfers.
pub(crate) fn jobs(plane: &Arc<ControlPlane>, worker: Worker) -> Worker {
    worker
        .handle(SEND, Arc::new(sending::Sender::new(plane.clone())))
        .handle(SIGNAL, Arc::new(signalling::Signaller::new(plane.clone())))
}

/// The authority (host and port) of a URL, by which calls to one peer are counted.
pub(crate) fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}
