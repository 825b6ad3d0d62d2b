//! What a look at a dependency has found, for a person who is to put it right.

use std::time::Duration;

use heddle_clock::Timestamp;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and may not for long, or not as safely as it could.
    Warning,
    /// It does not work.
    Failure,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about, such as `database.version`.
    pub name: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was tried.
    pub tried: String,
    /// What happened. No secrets.
    pub happened: String,
    /// What to do, unless it is as it should be.
    pub advice: Option<String>,
}

/// What a look at a database has found; nothing is changed by it.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// What was tried.
    pub findings: Vec<Finding>,
    /// The documents of the installation that were asked for by kind and id, in that order; empty when the database
    /// could not be looked into, or has no tables yet.
    pub documents: Vec<Option<String>>,
}

/// Clocks that differ by less are kept well.
const NOTABLE: Duration = Duration::from_secs(1);
/// Tokens are refused by those whose clocks differ by more.
const TOO_FAR: Duration = Duration::from_secs(5);

impl Finding {
    /// As it should be.
    #[must_use]
    pub fn ok(name: &'static str, tried: impl Into<String>, happened: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, tried: tried.into(), happened: happened.into(), advice: None }
    }

    /// It works, but.
    #[must_use]
    pub fn warning(self, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Warning, advice: Some(advice.into()), ..self }
    }

    /// It does not work.
    #[must_use]
    pub fn failure(self, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failure, advice: Some(advice.into()), ..self }
    }

    /// How far another clock is from ours. It was read between the two moments of ours, with an error of `precision`.
    #[must_use]
    pub fn of_clock(
        name: &'static str,
        whose: &str,
        (before, after): (Timestamp, Timestamp),
        (theirs, precision): (Timestamp, Duration),
    ) -> Self {
        // `since` is zero for what lies ahead.
        let ahead = theirs.since(after).saturating_sub(precision);
        let behind = before.since(theirs).saturating_sub(precision);
        let (by, way) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
        let happened = if by < NOTABLE {
            format!(
                "the clock of {whose} is ours, within {} ms",
                (after.since(before) + precision).as_millis()
            )
        } else {
            format!("the clock of {whose} is {} ms {way} ours", by.as_millis())
        };
        let finding = Self::ok(name, format!("compare the clock of {whose} with ours"), happened);
        let advice = "keep both clocks right (NTP): leases, tokens and credentials depend on them";
        if by > TOO_FAR {
            finding.failure(advice)
        } else if by >= NOTABLE {
            finding.warning(advice)
        } else {
            finding
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_are_told_apart_from_slow_answers() {
        let verdict = |before: i64, after: i64, theirs: i64| {
            let at = Timestamp::from_millis;
            let precision = Duration::from_secs(1);
            Finding::of_clock("clock", "it", (at(before), at(after)), (at(theirs), precision)).verdict
        };
        assert_eq!(verdict(100_000, 100_010, 100_005), Verdict::Ok);
        assert_eq!(verdict(100_000, 130_000, 100_005), Verdict::Ok, "a slow answer");
        assert_eq!(verdict(100_000, 100_010, 103_000), Verdict::Warning);
        assert_eq!(verdict(100_000, 100_010, 110_000), Verdict::Failure);
        assert_eq!(verdict(100_000, 100_010, 20_000), Verdict::Failure);
    }
}
