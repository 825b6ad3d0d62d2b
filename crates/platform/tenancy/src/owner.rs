//! Whose a row is.

use std::{fmt, str::FromStr};

use heddle_ids::{ParticipantContextId, TenantId};

/// The owner of a stored row: the first part of every key. Not a capability: knowing an owner opens nothing.
///
/// Its text (`i`, `t:<tenant>`, `p:<participant context>`) is the value of the `owner` column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// The installation itself: dataspace profiles, expressions, signing keys, orchestrations.
    Installation,
    /// One tenant's management data.
    Tenant(TenantId),
    /// One participant context's data.
    Participant(ParticipantContextId),
}

/// A text that names no owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' names no owner: expected i, t:<tenant> or p:<participant context>")]
pub struct InvalidOwner(String);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installation => f.write_str("i"),
            Self::Tenant(id) => write!(f, "t:{id}"),
            Self::Participant(id) => write!(f, "p:{id}"),
        }
    }
}

impl FromStr for Owner {
    type Err = InvalidOwner;

    fn from_str(text: &str) -> Result<Self, InvalidOwner> {
        let invalid = || InvalidOwner(text.to_owned());
        match text.split_once(':') {
            None if text == "i" => Ok(Self::Installation),
            Some(("t", id)) => Ok(Self::Tenant(id.parse().map_err(|_| invalid())?)),
            Some(("p", id)) => Ok(Self::Participant(id.parse().map_err(|_| invalid())?)),
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_kinds_never_meet() {
        for text in ["i", "t:acme", "p:acme", "p:urn:x:y"] {
            assert_eq!(text.parse::<Owner>().expect("legal").to_string(), text);
        }
        assert_ne!("t:acme".parse::<Owner>(), "p:acme".parse::<Owner>());
        for bad in ["", "acme", "x:acme", "p:"] {
            assert!(bad.parse::<Owner>().is_err(), "{bad}");
        }
    }
}
