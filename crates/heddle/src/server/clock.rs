//! Says when the machine's clock has jumped.
//!
//! A jump loses nothing: leases that seem to have run out are taken by others, and whoever held them is fenced off. But
//! after a jump back, what was planned before waits until the clock has caught up, and tokens that were made before
//! are from the future; after a jump forward, tokens and credentials may have expired. A person should know why.

use std::time::Duration;

use heddle_clock::{Environment, Timestamp};
use heddle_web::Shutdown;
use tokio::time::Instant;

/// How long between two looks.
const EVERY: Duration = Duration::from_secs(5);
/// A jump by less is what keeping clocks right brings about.
const NOTABLE: Duration = Duration::from_secs(2);

/// A clock at a moment, and how far the process had come then.
#[derive(Debug, Clone, Copy)]
struct Look {
    wall: Timestamp,
    steady: Instant,
}

/// How far, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jump {
    Forward(Duration),
    Back(Duration),
}

impl Look {
    fn now(environment: &Environment) -> Self {
        Self { wall: environment.now(), steady: Instant::now() }
    }

    fn jump_to(self, later: Self) -> Option<Jump> {
        let expected = self.wall + later.steady.duration_since(self.steady);
        // `since` is zero for what lies ahead.
        let (forward, back) = (later.wall.since(expected), expected.since(later.wall));
        if forward >= NOTABLE {
            Some(Jump::Forward(forward))
        } else {
            (back >= NOTABLE).then_some(Jump::Back(back))
        }
    }
}

/// Looks until it is time to stop.
pub async fn watch(environment: Environment, shutdown: Shutdown) {
    let mut before = Look::now(&environment);
    loop {
        tokio::select! {
            () = shutdown.clone().requested() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let now = Look::now(&environment);
        if let Some(jump) = before.jump_to(now) {
            tell(jump);
        }
        before = now;
    }
}

fn tell(jump: Jump) {
    match jump {
        Jump::Forward(by) => tracing::warn!(
            component = "server",
            action = "clock",
            seconds = by.as_secs(),
            "the clock of this machine was set forward: work under way may be begun again by others, and tokens may \
             have expired; nothing is lost, and nothing needs to be done if the clock is right now"
        ),
        Jump::Back(by) => tracing::warn!(
            component = "server",
            action = "clock",
            seconds = by.as_secs(),
            "the clock of this machine was set back: what was planned before waits until the clock has caught up; \
             nothing is lost; set the clock right if it is not right now"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_are_seen_and_the_passing_of_time_is_none() {
        let begun = Look { wall: Timestamp::from_seconds(1_000_000), steady: Instant::now() };
        let after = |steady: u64, wall: i64| {
            let (steady, wall) = (begun.steady + Duration::from_secs(steady), 1_000_000_000 + wall * 1000);
            begun.jump_to(Look { wall: Timestamp::from_millis(wall), steady })
        };
        assert_eq!(after(5, 5), None);
        assert_eq!(after(5, 6), None, "clocks are set right by less");
        assert_eq!(after(3600, 3600), None, "a process that was held up");
        assert_eq!(after(5, 3605), Some(Jump::Forward(Duration::from_secs(3600))));
        assert_eq!(after(5, -3595), Some(Jump::Back(Duration::from_secs(3600))));
        assert_eq!(after(5, 3), Some(Jump::Back(Duration::from_secs(2))));
    }
}
