//! The control plane: where trust is decided.
//!
//! Assets, policies and contract definitions; the catalog; negotiations, agreements and transfers over the
//! Dataspace Protocol as provider and as consumer; the choice of data planes and the signals to them.
//!
//! * `model`: what is stored. `identity`: who a peer is. `catalog`, `negotiation`, `transfer`: the protocol work,
//!   each with its jobs; `delivery`: how a message of ours comes to a peer. `trace`: why something was decided; `denial`: why a request was refused. `telling`: what the
//!   log says of it. `rules`: what policies mean. `filtered`: what can be filtered. `removal`: the end of a participant.
//! * `endpoints`: the surface for peers and data planes. `api`: the Management API. Both only convert.
//!
//! # How a message is handled
//!
//! A handler proves the peer, applies the message to the stored process, and stores the process, the jobs that
//! follow and the events in one commit; then it answers. Jobs send what is in flight. Nothing acts on the request
//! that told it.
//!
//! Deliberately absent: tenants, cells and orchestration (the management plane calls the Management API like
//! anybody else), bytes of data (data planes move them), keys (the vault has them).

mod api;
mod catalog;
mod delivery;
mod denial;
mod endpoints;
mod filtered;
mod identity;
mod model;
mod negotiation;
mod parts;
mod patience;
mod removal;
mod rules;
mod telling;
#[cfg(test)]
mod tests;
mod trace;
mod transfer;

pub use filtered::filtered;
pub use parts::{ControlPlane, Parts};
pub use patience::Patience;
