//! Contract negotiations, as provider and as consumer.
//!
//! The machine is `heddle_dsp::negotiation`; here it gets a database, a policy engine and a wire. What this
//! control plane does by itself: as provider it agrees to an acceptable request and finalises a verified
//! agreement; as consumer it verifies an agreement that equals its offer. Everything else waits for its owner.

mod commands;
mod decision;
mod inbound;
mod record;
mod sending;
mod settle;

use std::sync::Arc;

use heddle_store::Worker;

pub(crate) use commands::{CommandError, NewNegotiation};
pub(crate) use inbound::{Answer, InboundRequest, ProtocolError};
pub(crate) use record::{NegotiationRecord, in_words, role_name};

use crate::ControlPlane;

/// The kind of the jobs that send messages.
pub(crate) const SEND: &str = "negotiation.send";

/// Registers the jobs of negotiations.
pub(crate) fn jobs(plane: &Arc<ControlPlane>, worker: Worker) -> Worker {
    worker.handle(SEND, Arc::new(sending::Sender::new(plane.clone())))
}
