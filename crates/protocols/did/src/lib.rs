//! Decentralized identifiers (DID Core 1.0), the methods `did:web` and `did:key`, and DID documents.
//!
//! - [`Did`], [`DidUrl`]: identifiers, compared byte by byte.
//! - [`web`]: where the document of a `did:web` is, and which `did:web` a host and path stand for.
//! - [`key`]: the document that a `did:key` stands for.
//! - [`DidDocument`]: read leniently, because peers differ; written strictly, because readers are strict.
//!   [`DidDocument::verification_method_for`] is the rule that says which key a token may be checked with.
//!
//! Deliberately absent: fetching, caching, and the judgement whether a host may be contacted.

pub mod key;
pub mod web;

mod base58;
mod document;
mod error;
mod identifier;
mod p256;

pub use document::{
    DOCUMENT_BYTES_MAX, DidDocument, ENTRIES_MAX, Relationship, Service, Strictness, VerificationMethod,
};
pub use error::DidError;
pub use identifier::{DID_BYTES_MAX, Did, DidUrl};
