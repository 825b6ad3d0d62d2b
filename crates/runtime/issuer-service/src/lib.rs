//! The issuer service: what an issuer attests, and the credentials that it gives out (DCP 1.0 §6).
//!
//! * `holder`, `attestation`, `definition`: whom the issuer knows, what is verified about them, and which
//!   credentials follow from it.
//! * `process`: a request, from the decision to its end. `delivery`: the job that makes the credentials and brings
//!   them to the holder.
//! * `credential`, `status_list`: what was issued, and how it is taken back.
//! * `removal`: the end of an issuer. `standing`: that there is nothing new behind it.
//! * `issuer`, `peer`: whose key signs; who sends a token.
//! * `endpoints`: the surface for peers (DCP 1.0, status lists). `api`: the Issuer Admin API. Both only convert.
//!
//! # How a request becomes a credential
//!
//! The request is decided at once: the holder is looked up by the DID that it proved, every attestation of every
//! definition must speak for it, every rule must hold. What was decided is stored with the job
//! `issuance.deliver`, in one commit. The job allocates places in status lists, signs, and stores the signed
//! credentials in one commit before anything leaves; a second run finds them and delivers the same ones again.
//!
//! Deliberately absent: the issuer's DID and keys (the credential service has them, here they are used through
//! the vault), attestations by presentation, the schema of a credential's subject (it is published, not checked).

mod api;
mod attestation;
mod credential;
mod definition;
mod delivery;
mod endpoints;
mod holder;
mod issuer;
mod peer;
mod process;
mod removal;
mod service;
mod standing;
mod status_list;

pub use service::{IssuerService, Parts, Settings};
