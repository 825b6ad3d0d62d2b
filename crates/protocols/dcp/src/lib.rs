//! The Decentralized Claims Protocol 1.0 as pure functions.
//!
//! - [`wire`]: its messages, tolerant in and strict out.
//! - [`token`]: self-issued tokens and access tokens: drafts to be signed, and verification.
//! - [`scope`]: which credentials are meant.
//! - [`presentation`]: the holder's choice of credentials.
//! - [`trust`]: the verifier's judgement, from evidence to a [`trust::VerifiedPresentation`].
//! - [`issuance`]: the life of an issuance on both sides, and what a delivery must satisfy.
//!
//! Every verification leaves a list of named checks, in success and in a [`Refusal`], so that a decision can
//! be explained to its owner, while the peer is told one short sentence.
//!
//! Deliberately absent: sockets, clocks, storage, signing. What must be fetched is asked for as data, and
//! what must be unique is handed out as a [`token::ReplayKey`].

mod claims;
mod refusal;
mod rules;
mod trace;

pub mod issuance;
pub mod presentation;
pub mod scope;
pub mod token;
pub mod trust;
pub mod wire;

pub use refusal::{Cause, Refusal};
pub use rules::{BadCredential, CredentialSchema, Rules};
pub use scope::{InvalidScope, Scope};
