//! JSON-LD, as far as documents of known vocabularies need it: they are brought into the one compact shape that plain
//! structs read. Nothing is ever loaded: contexts are known by name or not at all.
//!
//! To add a term of the Management API: a row in `management/terms.rs`.
//!
//! Deliberately absent: expansion and compaction against arbitrary contexts, remote contexts, graphs and framing. A
//! document that defines terms of its own is read by the names that it uses.

mod error;
pub mod management;

pub use error::{JsonLdError, Problem};
