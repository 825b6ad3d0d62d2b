//! The messages of DCP 1.0 as they stand on the wire: tolerant in, strict out.
//!
//! One struct per message. [`parse`] reads one from bytes and refuses with a JSON pointer; serde writes one.
//! Tolerated: `@context` as a string or as an array that holds the DCP context among other entries, `@type`
//! for `type`, the full IRI of a type, unknown members. Never sent: any of these.
//!
//! Deliberately absent: JSON-LD processing (the compacted form of every message is plain JSON by DCP 1.0 §3),
//! and any judgement about what a message asks for.

mod header;
mod issuance;
mod object;
mod presentation;

use std::fmt;

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

pub use header::{CONTEXT, DcpContext, NAMESPACE, Named, Tag};
pub use issuance::{
    CredentialContainer, CredentialMessage, CredentialRequestMessage, CredentialStatus, DeliveryStatus,
    RequestStatus, RequestedCredential,
};
pub use object::{CredentialObject, CredentialOfferMessage, IssuerMetadata};
pub use presentation::{Asked, Presentation, PresentationQueryMessage, PresentationResponseMessage};

/// Longest message that is read, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most entries of a list in one message (scopes, requested credentials, presentations, credential objects).
pub const LIST_ENTRIES_MAX: usize = 100;
/// Longest explanation that is kept of what was wrong with a message, in characters. It may quote the sender.
const EXPECTED_CHARS_MAX: usize = 300;

/// What is wrong with a message: where, and what was expected there. Safe to send back to the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is malformed at '{pointer}': {expected}")]
pub struct Malformed {
    /// JSON pointer (RFC 6901) to the member that is wrong; empty for the whole document.
    pub pointer: String,
    /// What was expected there.
    pub expected: String,
}

impl Malformed {
    pub(crate) fn at(pointer: impl Into<String>, expected: impl Into<String>) -> Self {
        let expected: String = expected.into();
        Self { pointer: pointer.into(), expected: expected.chars().take(EXPECTED_CHARS_MAX).collect() }
    }
}

/// A message of DCP.
pub trait Message: DeserializeOwned {
    /// Rules that concern more than one member, or the length of a list.
    ///
    /// # Errors
    /// Names the member that breaks a rule.
    fn validate(&self) -> Result<(), Malformed>;
}

/// Reads a message of at most [`MESSAGE_BYTES_MAX`].
///
/// # Errors
/// [`Malformed`] with a JSON pointer when the bytes are not JSON, not this message, or break one of its
/// rules.
pub fn parse<T: Message>(bytes: &[u8]) -> Result<T, Malformed> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(Malformed::at("", format!("at most {MESSAGE_BYTES_MAX} bytes")));
    }
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let message: T = serde_path_to_error::deserialize(&mut source)
        .map_err(|error| Malformed::at(pointer_of(error.path()), sentence(error.inner())))?;
    source.end().map_err(|error| Malformed::at("", sentence(&error)))?;
    message.validate()?;
    Ok(message)
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&part);
    }
    pointer
}

/// serde's text without the position, which means nothing to somebody who is given a JSON pointer.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Refuses a list that is empty or longer than [`LIST_ENTRIES_MAX`].
fn bounded<T>(pointer: &str, list: &[T], what: &str) -> Result<(), Malformed> {
    match list.len() {
        0 => Err(Malformed::at(pointer, format!("at least one {what}"))),
        1..=LIST_ENTRIES_MAX => Ok(()),
        _ => Err(Malformed::at(pointer, format!("at most {LIST_ENTRIES_MAX} entries"))),
    }
}

/// Refuses an empty text.
fn filled(pointer: impl fmt::Display, text: &str) -> Result<(), Malformed> {
    if text.is_empty() { Err(Malformed::at(pointer.to_string(), "a text that is not empty")) } else { Ok(()) }
}
