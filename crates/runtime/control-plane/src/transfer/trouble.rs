//! Why a signal has not arrived at a data plane, and what follows.

use std::time::Duration;

use heddle_dsp::transfer::DataPlaneStep;
use heddle_outbound::{OutboundError, RetryClass};

use super::plane_failure::PlaneFailure;

/// Attempts after which a data plane that does not answer is given up; told to stop, it is not waited for.
const ATTEMPTS_MAX: u32 = 8;

/// Why a signal has not arrived.
pub(super) struct Trouble {
    pub(super) failure: PlaneFailure,
    pub(super) class: RetryClass,
    /// The data plane has answered, if only to refuse.
    pub(super) answered: bool,
    /// The data plane says, or it follows, that there is no such flow.
    pub(super) absent: bool,
}

/// What follows from a signal that has not arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes out once more.
    Again,
    /// It goes out once more, and again until it arrives; but nobody relies on that any more.
    Missed,
    /// There is no flow to stop.
    Absent,
    /// It is given up.
    Failed,
}

impl Trouble {
    pub(super) fn of_class(reason: String, class: RetryClass) -> Self {
        Self { failure: PlaneFailure::Broken(reason), class, answered: false, absent: false }
    }

    pub(super) fn last(reason: String) -> Self {
        Self::of_class(reason, RetryClass::Final)
    }

    pub(super) fn passing(reason: String) -> Self {
        Self::of_class(reason, RetryClass::Retry { after: None })
    }

    pub(super) fn unregistered() -> Self {
        Self { absent: true, ..Self::last("it is not registered any more".to_owned()) }
    }

    pub(super) fn of(error: &OutboundError) -> Self {
        let status = error.status();
        Self {
            failure: PlaneFailure::of(error),
            class: error.class(),
            answered: status.is_some(),
            absent: status.is_some_and(|status| status.as_u16() == 404),
        }
    }

    /// Judges the failure of attempt number `attempt`, counted from 1. A stop is never given up.
    pub(super) fn judge(&self, step: DataPlaneStep, attempt: u32) -> Verdict {
        let attempts_max = match self.class {
            RetryClass::Retry { .. } => ATTEMPTS_MAX,
            // The data plane's own services may be restarting.
            RetryClass::RetryBriefly => ATTEMPTS_MAX / 2,
            RetryClass::Final => 1,
        };
        // Much hangs on it that a flow is gone; what answers 404 while the data plane restarts does not know.
        let believed = self.class == RetryClass::Final || attempt >= ATTEMPTS_MAX;
        match step.stops() {
            true if self.absent && believed => Verdict::Absent,
            true if attempt >= attempts_max => Verdict::Missed,
            false if attempt >= attempts_max => Verdict::Failed,
            _ => Verdict::Again,
        }
    }

    /// How long the data plane asks us to wait.
    pub(super) const fn after(&self) -> Option<Duration> {
        match self.class {
            RetryClass::Retry { after } => after,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(class: RetryClass, absent: bool, step: DataPlaneStep, attempt: u32) -> Verdict {
        let trouble = Trouble { absent, ..Trouble::of_class("none".to_owned(), class) };
        trouble.judge(step, attempt)
    }

    #[test]
    fn a_stop_is_never_given_up_and_a_start_is() {
        let silent = RetryClass::Retry { after: None };
        for (class, last) in [(silent, 8), (RetryClass::RetryBriefly, 4), (RetryClass::Final, 1)] {
            for step in [DataPlaneStep::Prepare, DataPlaneStep::Start, DataPlaneStep::Resume] {
                assert_eq!(judged(class, false, step, last), Verdict::Failed, "{step} {class:?}");
                assert_eq!(judged(class, true, step, last), Verdict::Failed, "{step} {class:?}");
                assert!(last == 1 || judged(class, false, step, last - 1) == Verdict::Again);
            }
            for step in [DataPlaneStep::Suspend, DataPlaneStep::Complete, DataPlaneStep::Terminate] {
                for attempt in [last, last + 1, 1000] {
                    assert_eq!(judged(class, false, step, attempt), Verdict::Missed, "{step} {class:?}");
                }
            }
        }
    }

    #[test]
    fn a_flow_that_is_not_there_has_stopped_once_that_is_believed() {
        let stop = DataPlaneStep::Terminate;
        let attempts =
            [(1, Verdict::Again), (4, Verdict::Missed), (7, Verdict::Missed), (8, Verdict::Absent)];
        for (attempt, verdict) in attempts {
            assert_eq!(judged(RetryClass::RetryBriefly, true, stop, attempt), verdict, "{attempt}");
        }
        // A data plane that is not registered any more.
        assert_eq!(judged(RetryClass::Final, true, stop, 1), Verdict::Absent);
    }
}
