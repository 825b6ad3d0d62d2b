//! How long a message of ours is sent again to a peer that does not take it.

use std::time::Duration;

use heddle_dsp::process::Failure;
use heddle_outbound::RetryClass;

/// What a peer is granted before a message to it is given up, and the process with it. Waits between attempts begin
/// within 300 ms and double, up to a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Attempts after which a peer that does not answer, or fails, is given up. The default takes about half a minute.
    pub attempts: u32,
    /// How long a peer may answer 401 or 404, as one does whose own services restart.
    pub restarts: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 8, restarts: Duration::from_secs(120) }
    }
}

/// What follows from an attempt that failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Once more, not before that long, if it is given.
    Again(Option<Duration>),
    /// Never again.
    GiveUp(Failure),
}

impl Patience {
    /// Judges the failure of attempt number `attempt`, counted from 1, at a message that is `age` old.
    pub(crate) fn judge(&self, class: RetryClass, attempt: u32, age: Duration, reason: &str) -> Verdict {
        let in_vain = || match attempt {
            1 => reason.to_owned(),
            _ => format!("{reason} (given up after {attempt} attempts)"),
        };
        match class {
            RetryClass::Retry { after } if attempt < self.attempts => Verdict::Again(after),
            RetryClass::Retry { .. } => Verdict::GiveUp(Failure::Unanswered(in_vain())),
            RetryClass::RetryBriefly if age < self.restarts => Verdict::Again(None),
            RetryClass::RetryBriefly => Verdict::GiveUp(Failure::Refused(in_vain())),
            RetryClass::Final => Verdict::GiveUp(Failure::Refused(reason.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: RetryClass = RetryClass::Retry { after: None };

    #[test]
    fn a_peer_that_is_away_is_asked_as_often_as_granted_and_the_reason_counts() {
        let patience = Patience { attempts: 3, ..Patience::default() };
        let judge = |class, attempt| patience.judge(class, attempt, Duration::ZERO, "nobody is there");
        let asked = Some(Duration::from_secs(9));
        assert_eq!(judge(RetryClass::Retry { after: asked }, 1), Verdict::Again(asked));
        assert_eq!(judge(NOW, 2), Verdict::Again(None));
        let reason = "nobody is there (given up after 3 attempts)".to_owned();
        assert_eq!(judge(NOW, 3), Verdict::GiveUp(Failure::Unanswered(reason)));
    }

    #[test]
    fn a_peer_that_restarts_is_granted_time_and_one_that_has_decided_none() {
        let patience = Patience { restarts: Duration::from_secs(5), ..Patience::default() };
        let judge = |class, age| patience.judge(class, 20, Duration::from_secs(age), "404");
        assert_eq!(judge(RetryClass::RetryBriefly, 4), Verdict::Again(None));
        let reason = "404 (given up after 20 attempts)".to_owned();
        assert_eq!(judge(RetryClass::RetryBriefly, 5), Verdict::GiveUp(Failure::Refused(reason)));
        assert_eq!(judge(RetryClass::Final, 0), Verdict::GiveUp(Failure::Refused("404".to_owned())));
    }
}
