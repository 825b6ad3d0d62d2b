//! Reading a body, and saying precisely why it cannot be read.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

/// Largest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// A body that is not the message that was expected. Never repeats what the body holds, which may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body is malformed at '{pointer}': expected {expected}")]
pub struct Malformed {
    /// JSON Pointer (RFC 6901) to the member at fault; empty for the whole body.
    pub pointer: String,
    /// What should have been there.
    pub expected: String,
}

impl Malformed {
    pub(super) fn new(pointer: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), expected: expected.into() }
    }
}

/// A message that can be read from a body.
pub trait Message: Sized {
    /// The members as they are written, before spellings are reconciled.
    type Wire: DeserializeOwned;

    /// Reconciles spellings and checks bounds.
    ///
    /// # Errors
    /// [`Malformed`] with the member that contradicts another or exceeds a bound.
    fn from_wire(wire: Self::Wire) -> Result<Self, Malformed>;
}

/// Reads a message from a body.
///
/// # Errors
/// [`Malformed`] when the body has more than [`BODY_BYTES_MAX`] bytes, is not JSON, or is another message.
pub fn parse<M: Message>(body: &[u8]) -> Result<M, Malformed> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Malformed::new("", format!("at most {BODY_BYTES_MAX} bytes")));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let wire = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| explain(&error))?;
    deserializer.end().map_err(|_| Malformed::new("", "one JSON value and nothing after it"))?;
    M::from_wire(wire)
}

/// Keeps of a parse error where it was and what was expected, and drops the value that was found.
fn explain(error: &serde_path_to_error::Error<serde_json::Error>) -> Malformed {
    let mut pointer = pointer_of(error.path());
    if !error.inner().is_data() {
        return Malformed::new("", "JSON");
    }
    let text = error.inner().to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    if let Some(member) = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        pointer.push_str(&format!("/{member}"));
        return Malformed::new(pointer, "a value, but the member is missing");
    }
    let expected = text.rsplit_once(", expected ").map_or(text, |(_, expected)| expected);
    Malformed::new(pointer, expected)
}

fn pointer_of(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let step = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                key.replace('~', "~0").replace('/', "~1")
            }
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&step);
    }
    pointer
}
