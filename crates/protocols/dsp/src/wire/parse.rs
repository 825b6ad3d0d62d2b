//! From bytes to a message, or to a sentence that says where and why not.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

/// Largest message that [`parse`] reads, in bytes. A catalog may be larger: [`parse_up_to`].
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// Why bytes are not the message that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message cannot be read at '{pointer}': {expected}")]
pub struct Malformed {
    /// Where: a JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// What was expected there, or what is wrong.
    pub expected: String,
}

impl Malformed {
    pub(super) fn at(pointer: &str, expected: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), expected: expected.into() }
    }
}

/// A message of the wire: what its fields cannot express is checked by [`Wire::check`].
pub trait Wire: DeserializeOwned {
    /// Rules between members (DSP 2025-1, `oneOf` and `anyOf` of the schemas). [`parse`] calls it.
    fn check(&self) -> Result<(), Malformed> {
        Ok(())
    }
}

/// Reads a message of at most [`MESSAGE_BYTES_MAX`] bytes.
pub fn parse<T: Wire>(bytes: &[u8]) -> Result<T, Malformed> {
    parse_up_to(bytes, MESSAGE_BYTES_MAX)
}

/// Reads a message of at most `bytes_max` bytes.
pub fn parse_up_to<T: Wire>(bytes: &[u8], bytes_max: usize) -> Result<T, Malformed> {
    if bytes.len() > bytes_max {
        return Err(Malformed::at("", format!("a document of at most {bytes_max} bytes")));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let message: T = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| malformed(&pointer(error.path()), error.inner()))?;
    deserializer.end().map_err(|error| malformed("", &error))?;
    message.check()?;
    Ok(message)
}

fn malformed(parent: &str, error: &serde_json::Error) -> Malformed {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    // serde reports a missing member at its parent; a person looks for it at the member itself.
    match text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(member) => {
            Malformed::at(&format!("{parent}/{}", escaped(member)), "the member is required but missing")
        }
        None => Malformed::at(parent, text),
    }
}

fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escaped(key)),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
