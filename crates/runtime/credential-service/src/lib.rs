//! The credential service: what a participant is known by, and what it can prove.
//!
//! * `participant`: participant contexts with their keys and DID documents.
//! * `self_issued`: tokens by which participants prove themselves ([`InProcessTokens`]).
//! * `wallet`: requests for credentials, deliveries, presentations.
//! * `peer`, `signing`: who sends a token; which key signs.
//! * `endpoints`: the surface for peers (DCP 1.0, DID documents, secure token service). `api`: the Identity API.
//!   Both only convert.
//!
//! # How a request for credentials goes
//!
//! The Identity API stores it and enqueues `credential.request.send`, which proves the holder to the issuer and
//! hands over a grant to write. The issuer delivers when it likes, even before it has answered: the machine in
//! `heddle_dcp::issuance` knows both orders. A delivery is stored with the state of its request and the events
//! that tell of it in one commit, or not at all.
//!
//! Deliberately absent: API clients and their secrets (the token service has them), the judgement of other
//! participants (the control plane verifies), tenants.

mod api;
mod endpoints;
mod participant;
mod peer;
mod segment;
mod self_issued;
mod service;
mod signing;
mod wallet;

pub use self_issued::InProcessTokens;
pub use service::{CredentialService, Parts};
