//! DIDs and DID URLs (DID Core 1.0 §3).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::DidError;

/// Longest DID that is accepted, in bytes.
pub const DID_BYTES_MAX: usize = 1024;

/// A DID: `did:` method `:` method-specific id. Two DIDs are the same only if they are equal byte by byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Did(Box<str>);

impl Did {
    /// Parses a DID. A DID URL (with a path, query or fragment) is not a DID.
    ///
    /// # Errors
    /// [`DidError::Malformed`] for everything that the grammar of DID Core §3.1 does not allow.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        if text.len() > DID_BYTES_MAX {
            return Err(DidError::Malformed("it has more than 1024 bytes"));
        }
        let rest = text.strip_prefix("did:").ok_or(DidError::Malformed("it does not begin with 'did:'"))?;
        let (method, id) = rest.split_once(':').ok_or(DidError::Malformed("it has no method-specific id"))?;
        if method.is_empty() || !method.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return Err(DidError::Malformed("a method's name has lower-case letters and digits only"));
        }
        if id.is_empty() || id.ends_with(':') {
            return Err(DidError::Malformed("its method-specific id is empty or ends with a colon"));
        }
        if !is_id(id.as_bytes()) {
            return Err(DidError::Malformed("it has a character that a DID cannot have"));
        }
        Ok(Self(text.into()))
    }

    /// The method's name, such as `web`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.split().0
    }

    /// What follows the method.
    #[must_use]
    pub fn method_specific_id(&self) -> &str {
        self.split().1
    }

    /// The DID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The DID URL of something within this DID's document.
    #[must_use]
    pub fn url(&self, fragment: &str) -> String {
        format!("{self}#{fragment}")
    }

    fn split(&self) -> (&str, &str) {
        self.0[4..].split_once(':').unwrap_or((&self.0[4..], ""))
    }
}

/// `idchar` and `pct-encoded` of the grammar, and the colon.
fn is_id(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = match first {
            b'%' => match tail {
                [high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => tail,
                _ => return false,
            },
            b'.' | b'-' | b'_' | b':' => tail,
            other if other.is_ascii_alphanumeric() => tail,
            _ => return false,
        };
    }
    true
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Did({})", self.0)
    }
}

impl FromStr for Did {
    type Err = DidError;
    fn from_str(text: &str) -> Result<Self, DidError> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for Did {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// A DID URL that names something within a DID document: `did#fragment`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DidUrl {
    /// The DID.
    pub did: Did,
    /// The fragment, without its `#`.
    pub fragment: String,
}

impl DidUrl {
    /// Parses `did#fragment`. Paths, queries, and empty or doubled fragments are refused.
    ///
    /// # Errors
    /// [`DidError::MalformedUrl`], or the reason why the part before `#` is no DID.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let (did, fragment) = text.split_once('#').ok_or(DidError::MalformedUrl)?;
        let did = Did::parse(did)?;
        if fragment.len() > DID_BYTES_MAX || !is_fragment(fragment) {
            return Err(DidError::MalformedUrl);
        }
        Ok(Self { did, fragment: fragment.to_owned() })
    }
}

/// `fragment` of RFC 3986 §3.5, not empty.
fn is_fragment(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&b);
    !text.is_empty() && text.bytes().all(legal)
}

impl fmt::Display for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.did, self.fragment)
    }
}
