//! Who dies when: from a seed.

use std::ops::Range;

use heddle_clock::{Environment, SeededRng};

/// A death foretold: before or after the commit of a number, counted from the start of the process.
#[derive(Debug, Clone, Copy)]
pub struct Death {
    /// Whether the commit is durable by then.
    pub after: bool,
    /// Which commit.
    pub commit: u64,
}

/// A seed of `SEED`, or a new one.
pub fn seed() -> u64 {
    let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| u64::from_le_bytes(Environment::system().random()))
}

/// For each process its deaths, by turns before and after a commit.
pub fn deaths<const N: usize>(rng: &SeededRng, counts: [usize; N], commits: Range<u64>) -> [Vec<Death>; N] {
    let first = rng.below(2);
    let mut turn = (first..).map(|turn| turn % 2 == 1);
    let mut death = || Death {
        after: turn.next().expect("it is endless"),
        commit: commits.start + rng.below(commits.end - commits.start),
    };
    counts.map(|count| (0..count).map(|_| death()).collect())
}
