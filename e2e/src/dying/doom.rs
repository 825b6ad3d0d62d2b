//! When a server dies.

use std::{fmt, str::FromStr};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::Entry;

/// On which side of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The database never sees it.
    Before,
    /// It is durable, and whoever asked for it never learns of that.
    After,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Before { "before" } else { "after" })
    }
}

/// Which commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// The one of this number, or the first behind it that succeeds.
    At(u64),
    /// The first one that has a label: see [`Entry::labels`].
    With(String),
}

impl Moment {
    /// Whether `entry` tells of this moment.
    pub fn is(&self, entry: &Entry) -> bool {
        match self {
            Self::At(number) => entry.commit >= *number,
            Self::With(label) => entry.labels().any(|one| one == *label),
        }
    }
}

impl FromStr for Moment {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::With(text.to_owned()), Self::At))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(number) => write!(f, "{number}"),
            Self::With(label) => f.write_str(label),
        }
    }
}

/// A death foretold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doom {
    /// On which side.
    pub side: Side,
    /// Of which commit.
    pub moment: Moment,
}

impl Doom {
    /// Before or after the commit that `moment` names: by its number or by a label.
    pub fn new(side: Side, moment: &str) -> Self {
        let Ok(moment) = moment.parse();
        Self { side, moment }
    }
}
