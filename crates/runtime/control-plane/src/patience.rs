//! How long a message of ours is sent again to a peer that does not take it.

use std::time::Duration;

use heddle_dsp::process::Failure;
use heddle_outbound::RetryClass;

use crate::delivery::Trouble;

/// What a peer is granted before a message to it is given up, and the process with it. Waits between attempts begin
/// within 300 ms and double, up to a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Attempts after which a peer that does not answer, or fails, is given up. The default takes about half a minute.
    pub attempts: u32,
    /// How long a peer may answer 401 or 404, as one does whose own services restart.
    pub restarts: Duration,
    /// How long a data plane that has answered that it is still at work may take to call back.
    pub callbacks: Duration,
}

/// The longest wait before the next attempt, whatever the peer asks for: it does not decide when we go on.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 8, restarts: Duration::from_secs(120), callbacks: Duration::from_secs(3600) }
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
    /// Judges the failure of attempt number `attempt`, counted from 1, at a message that is `age` old. `left_before`
    /// tells whether an earlier attempt has left the house: a peer may have taken only what was sent.
    pub(crate) fn judge(&self, trouble: &Trouble, attempt: u32, age: Duration, left_before: bool) -> Verdict {
        let in_vain = match attempt {
            1 => trouble.reason.clone(),
            _ => format!("{} (given up after {attempt} attempts)", trouble.reason),
        };
        let (reason, answered) = match trouble.class {
            RetryClass::Retry { after } if attempt < self.attempts => {
                return Verdict::Again(after.map(|asked| asked.min(WAIT_MAX)));
            }
            RetryClass::RetryBriefly if age < self.restarts => return Verdict::Again(None),
            RetryClass::Retry { .. } => (in_vain, false),
            RetryClass::RetryBriefly => (in_vain, trouble.sent),
            RetryClass::Final => (trouble.reason.clone(), trouble.sent),
        };
        let never_sent = !trouble.sent && !left_before;
        Verdict::GiveUp(if answered || never_sent {
            Failure::Refused(reason)
        } else {
            Failure::Unanswered(reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: RetryClass = RetryClass::Retry { after: None };

    fn sent(class: RetryClass, reason: &str) -> Trouble {
        Trouble { reason: reason.to_owned(), class, sent: true }
    }

    #[test]
    fn a_peer_that_is_away_is_asked_as_often_as_granted_and_the_reason_counts() {
        let patience = Patience { attempts: 3, ..Patience::default() };
        let judge =
            |class, attempt| patience.judge(&sent(class, "nobody is there"), attempt, Duration::ZERO, false);
        let asked = Some(Duration::from_secs(9));
        assert_eq!(judge(RetryClass::Retry { after: asked }, 1), Verdict::Again(asked));
        let long = Some(Duration::from_secs(3600));
        assert_eq!(judge(RetryClass::Retry { after: long }, 1), Verdict::Again(Some(WAIT_MAX)));
        assert_eq!(judge(NOW, 2), Verdict::Again(None));
        let reason = "nobody is there (given up after 3 attempts)".to_owned();
        assert_eq!(judge(NOW, 3), Verdict::GiveUp(Failure::Unanswered(reason)));
    }

    #[test]
    fn a_peer_that_restarts_is_granted_time_and_one_that_has_decided_none() {
        let patience = Patience { restarts: Duration::from_secs(5), ..Patience::default() };
        let judge = |class, age| patience.judge(&sent(class, "404"), 20, Duration::from_secs(age), true);
        assert_eq!(judge(RetryClass::RetryBriefly, 4), Verdict::Again(None));
        let reason = "404 (given up after 20 attempts)".to_owned();
        assert_eq!(judge(RetryClass::RetryBriefly, 5), Verdict::GiveUp(Failure::Refused(reason)));
        assert_eq!(judge(RetryClass::Final, 0), Verdict::GiveUp(Failure::Refused("404".to_owned())));
    }

    #[test]
    fn what_was_never_sent_is_not_unanswered() {
        let patience = Patience { attempts: 2, restarts: Duration::ZERO, ..Patience::default() };
        for trouble in [Trouble::passing("away"), Trouble::last("away")] {
            let judge = |left_before| patience.judge(&trouble, 2, Duration::ZERO, left_before);
            let Verdict::GiveUp(Failure::Refused(reason)) = judge(false) else {
                panic!("{:?}", judge(false))
            };
            assert!(reason.starts_with("away"), "{reason}");
            // The peer may have taken what left the house before.
            assert!(matches!(judge(true), Verdict::GiveUp(Failure::Unanswered(_))), "{trouble:?}");
        }
    }
}
