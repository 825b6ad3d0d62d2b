//! Transfer profiles: which transport moves the data, and in which direction.
//!
//! A profile is named by the URL of its document plus `-push` or `-pull` (DPS 1.0, Transfer Profile
//! Registry). Older planes and the conformance suite use short names (`HttpData-PULL`, `http-pull`); they are
//! understood here and nowhere else. Two spellings of one profile are equal.
//!
//! Deliberately absent: what a profile's endpoint properties mean; that belongs to the transport.

use std::{fmt, hash};

use serde::{Deserialize, Serialize, de};

/// The HTTP profile, without its direction.
pub const HTTP: &str = "https://w3id.org/dspace-sig/profile/http";

/// Longest profile name that is accepted, in bytes.
pub const PROFILE_BYTES_MAX: usize = 512;

/// Short names of transports, compared without regard to case, and the profile that each stands for.
const ALIASES: &[(&str, &str)] = &[("HttpData", HTTP), ("http", HTTP)];

/// Endpoint types that name a transport but no direction, and the profile that each stands for.
const ENDPOINT_TYPES: &[(&str, &str)] = &[("HttpData", HTTP), ("https://w3id.org/idsa/v4.1/HTTP", HTTP)];

/// Who opens the connection on which data flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The provider sends to an address of the consumer.
    Push,
    /// The consumer fetches from an address of the provider.
    Pull,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::Push, Self::Pull];

    /// The ending of a profile name: `-push` or `-pull`.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Push => "-push",
            Self::Pull => "-pull",
        }
    }
}

/// Why a text names no transfer profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProfile {
    /// It does not end in a direction, or has nothing before it.
    #[error("a transfer profile is a name that ends in -push or -pull, such as {HTTP}-pull")]
    NoDirection,
    /// It has more than [`PROFILE_BYTES_MAX`] bytes or holds white space or control characters.
    #[error(
        "a transfer profile has at most {PROFILE_BYTES_MAX} bytes and no white space or control characters"
    )]
    Unreadable,
}

/// A transport and a direction. Remembers the spelling in which it was given, but compares by meaning.
///
/// Serialises in the spelling that was given, since that is the one that the peer knows.
#[derive(Clone)]
pub struct TransferProfile {
    given: Box<str>,
    transport: Box<str>,
    direction: Direction,
}

impl TransferProfile {
    /// Reads a profile name: a full URL, any other name with a direction, or one of the short names.
    ///
    /// # Errors
    /// [`InvalidProfile`] when it has no direction or could not be a name.
    pub fn parse(text: &str) -> Result<Self, InvalidProfile> {
        if text.len() > PROFILE_BYTES_MAX || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(InvalidProfile::Unreadable);
        }
        let (name, direction) = split(text).ok_or(InvalidProfile::NoDirection)?;
        let transport = known(ALIASES, name).unwrap_or(name);
        Ok(Self { given: text.into(), transport: transport.into(), direction })
    }

    /// The HTTP profile in one direction, under its full URL.
    #[must_use]
    pub fn http(direction: Direction) -> Self {
        Self { given: format!("{HTTP}{}", direction.suffix()).into(), transport: HTTP.into(), direction }
    }

    /// Push or pull.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The profile without its direction; for known short names the full URL, such as [`HTTP`].
    #[must_use]
    pub fn transport(&self) -> &str {
        &self.transport
    }

    /// The full name: transport and direction. Equal for all spellings of one profile.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}{}", self.transport, self.direction.suffix())
    }

    /// The spelling in which it was given.
    #[must_use]
    pub fn as_given(&self) -> &str {
        &self.given
    }

    /// Whether a data address of this endpoint type belongs to this profile: the profile's name in any
    /// spelling, or an older name of the transport without a direction.
    #[must_use]
    pub fn accepts_endpoint_type(&self, endpoint_type: &str) -> bool {
        known(ENDPOINT_TYPES, endpoint_type) == Some(self.transport())
            || Self::parse(endpoint_type).is_ok_and(|other| other == *self)
    }
}

/// Splits a name from its direction, whose case does not matter.
fn split(text: &str) -> Option<(&str, Direction)> {
    Direction::ALL.into_iter().find_map(|direction| {
        let at = text.len().checked_sub(direction.suffix().len())?;
        let (name, suffix) = text.split_at_checked(at)?;
        (!name.is_empty() && suffix.eq_ignore_ascii_case(direction.suffix())).then_some((name, direction))
    })
}

fn known(names: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    names.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map(|(_, profile)| *profile)
}

impl PartialEq for TransferProfile {
    fn eq(&self, other: &Self) -> bool {
        self.direction == other.direction && self.transport == other.transport
    }
}

impl Eq for TransferProfile {}

impl hash::Hash for TransferProfile {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.direction.hash(state);
        self.transport.hash(state);
    }
}

impl fmt::Display for TransferProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

impl fmt::Debug for TransferProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransferProfile({})", self.given)
    }
}

impl Serialize for TransferProfile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.given)
    }
}

impl<'de> Deserialize<'de> for TransferProfile {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_of_http_pull_are_one_profile() {
        let full = TransferProfile::http(Direction::Pull);
        for name in ["HttpData-PULL", "http-pull", "https://w3id.org/dspace-sig/profile/http-pull"] {
            let profile = TransferProfile::parse(name).expect("a profile");
            assert_eq!(profile, full, "{name}");
            assert_eq!(profile.name(), "https://w3id.org/dspace-sig/profile/http-pull");
            assert_eq!(serde_json::to_value(&profile).expect("serialises"), name, "the spelling is kept");
        }
        assert_ne!(TransferProfile::parse("HttpData-PUSH"), Ok(full));
    }

    #[test]
    fn a_profile_that_nobody_listed_keeps_its_name() {
        let profile = TransferProfile::parse("https://example.com/profile/s3-push").expect("a profile");
        assert_eq!(profile.transport(), "https://example.com/profile/s3");
        assert_eq!(profile.direction(), Direction::Push);
    }

    #[test]
    fn what_has_no_direction_is_refused() {
        for name in ["", "-pull", "http", "HttpData", "http_pull", "ö-pul"] {
            assert_eq!(TransferProfile::parse(name), Err(InvalidProfile::NoDirection), "{name}");
        }
        for name in ["a b-pull".to_owned(), "a\n-pull".to_owned(), "x".repeat(PROFILE_BYTES_MAX) + "-pull"] {
            assert_eq!(TransferProfile::parse(&name), Err(InvalidProfile::Unreadable));
        }
    }

    #[test]
    fn an_endpoint_type_belongs_to_its_profile() {
        let push = TransferProfile::parse("http-push").expect("a profile");
        assert!(push.accepts_endpoint_type("https://w3id.org/idsa/v4.1/HTTP"));
        assert!(push.accepts_endpoint_type("https://w3id.org/dspace-sig/profile/http-push"));
        assert!(!push.accepts_endpoint_type("https://w3id.org/dspace-sig/profile/http-pull"));
        assert!(!push.accepts_endpoint_type("AmazonS3"));
    }
}
