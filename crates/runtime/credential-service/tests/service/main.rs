//! The credential service over real sockets: its Identity API, and a conversation with an issuer and verifiers.

mod deletion;
mod gate;
mod issuance;
mod issuance_refusals;
mod offers;
mod participants;
mod peer;
mod presentations;
mod support;
mod tokens;
