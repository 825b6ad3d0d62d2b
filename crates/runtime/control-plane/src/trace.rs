//! Why something was decided: what happened to a process, in order, with inputs and verdicts. Its owner can read it.

use std::borrow::Cow;

use heddle_clock::Timestamp;
use heddle_credentials::Check;
use heddle_odrl::Evaluation;
use heddle_store::{Aggregate, Columns};
use heddle_telemetry::trace;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most entries that one trace keeps; the first ones stay, as they hold the decisions.
const ENTRIES_MAX: usize = 256;
/// Most failed attempts at one message that it keeps.
const ATTEMPTS_MAX: u32 = 3;
/// Refusals beyond that: a peer must not be able to fill a trace until the decision has no room.
const REFUSALS_MAX: usize = 16;
/// Most checks that one entry keeps: a peer decides how many credentials it presents.
const CHECKS_MAX: usize = 64;

/// One entry of a decision trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TraceEntry {
    /// When.
    pub(crate) at: Timestamp,
    /// The W3C trace that the work belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<String>,
    /// What.
    #[serde(flatten)]
    pub(crate) what: Traced,
}

/// What an entry tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) enum Traced {
    /// A message was sent and acknowledged, or received.
    Message {
        /// `sent` or `received`.
        direction: Direction,
        /// Its type.
        message: String,
    },
    /// The process came into a state.
    State {
        /// The state.
        state: String,
    },
    /// The peer's identity and credentials were checked.
    Identity {
        /// The checks in order, as `heddle_credentials::Check` writes them.
        checks: Vec<Value>,
        /// How many are left out in the middle.
        #[serde(default, skip_serializing_if = "is_zero")]
        omitted: usize,
    },
    /// A policy was evaluated.
    Policy {
        /// `access`, `contract` or `agreement`.
        policy: String,
        /// The whole tree.
        evaluation: Value,
    },
    /// The peer was asked how far it is, as it did not take a message of ours, or its answer did not arrive.
    PeerState {
        /// What it said.
        state: String,
    },
    /// A message of ours was not taken, and is sent again.
    Unanswered {
        /// Its type.
        message: String,
        /// Which attempt that was, from 1.
        attempt: u32,
        /// Why not.
        reason: String,
    },
    /// Something was refused, or sending failed.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Direction {
    /// From us.
    Sent,
    /// To us.
    Received,
}

/// The entries of one process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DecisionTrace(Vec<TraceEntry>);

impl DecisionTrace {
    /// Appends an entry of the work under way.
    pub(crate) fn add(&mut self, at: Timestamp, what: Traced) {
        let max = match what {
            Traced::Refused { .. } => ENTRIES_MAX + REFUSALS_MAX,
            _ => ENTRIES_MAX,
        };
        if self.0.len() < max {
            self.0.push(TraceEntry {
                at,
                trace_id: trace::current().map(|context| context.trace_id()),
                what,
            });
        }
    }

    /// Adds a failed attempt at a message: of many, the first ones stay, which show how the waits grow, and the last.
    pub(crate) fn add_attempt(&mut self, at: Timestamp, what: Traced) {
        if let Traced::Unanswered { message, attempt, .. } = &what {
            let earlier = self.0.iter().rposition(|entry| {
                matches!(&entry.what, Traced::Unanswered { message: other, attempt: before, .. }
                    if other == message && (ATTEMPTS_MAX..*attempt).contains(before))
            });
            if let Some(earlier) = earlier {
                self.0.remove(earlier);
            }
        }
        self.add(at, what);
    }

    /// Appends the checks of a peer's identity.
    pub(crate) fn add_checks(&mut self, at: Timestamp, checks: &[Check]) {
        if !checks.is_empty() {
            // The first ones are of the token, the last one is what failed.
            let omitted = checks.len().saturating_sub(CHECKS_MAX);
            let (first, rest) = checks.split_at(checks.len().min(CHECKS_MAX / 2));
            let kept = first.iter().chain(&rest[omitted..]);
            let checks = kept.filter_map(|check| serde_json::to_value(check).ok()).collect();
            self.add(at, Traced::Identity { checks, omitted });
        }
    }

    /// Appends the evaluation of a policy.
    pub(crate) fn add_evaluation(&mut self, at: Timestamp, policy: &str, evaluation: &Evaluation) {
        let evaluation = serde_json::to_value(evaluation).expect("an evaluation serialises");
        self.add(at, Traced::Policy { policy: policy.to_owned(), evaluation });
    }

    /// The entries in order.
    pub(crate) fn entries(&self) -> &[TraceEntry] {
        &self.0
    }
}

/// The trace of a request that was refused before there was a process: what the peer asked, and why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Denial {
    pub(crate) id: String,
    /// Who asked, as its token proved; whoever proves nothing leaves no denial.
    pub(crate) counter_party: String,
    /// What for: `negotiation`, `catalog`, `transfer`.
    pub(crate) request: String,
    /// The dataset or agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    /// In one sentence, what was missing.
    pub(crate) reason: String,
    pub(crate) trace: DecisionTrace,
    /// How often the same was refused; what stands here tells of the last time.
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// When it was first refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_at: Option<Timestamp>,
    pub(crate) at: Timestamp,
    /// Kept until then.
    pub(crate) expires_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn once() -> u32 {
    1
}

/// What a refused request was about, as far as it can be kept: a peer may name anything, of any length.
pub(crate) fn subject(named: Option<&str>) -> Option<String> {
    named.and_then(|text| heddle_ids::AssetId::parse(text).ok()).map(|id| id.to_string())
}

impl Aggregate for Denial {
    const KIND: &'static str = "denial";

    fn id(&self) -> &str {
        &self.id
    }

    fn columns(&self) -> Columns {
        Columns {
            state: Some(Cow::Owned(self.request.clone())),
            counter_party: Some(self.counter_party.clone()),
            reference: self.subject.clone(),
            due_at: Some(self.expires_at),
            ..Columns::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn attempt(message: &str, attempt: u32) -> Traced {
        Traced::Unanswered { message: message.to_owned(), attempt, reason: "away".to_owned() }
    }

    #[test]
    fn of_many_attempts_at_a_message_the_first_and_the_last_are_kept() {
        let mut trace = DecisionTrace::default();
        // The second suspension is another message.
        for (message, attempts) in [("suspend", 5), ("start", 2), ("suspend", 4)] {
            (1..=attempts).for_each(|number| trace.add_attempt(NOW, attempt(message, number)));
        }
        let kept: Vec<_> = trace.entries().iter().map(|entry| entry.what.clone()).collect();
        let of = |message: &str, numbers: &[u32]| -> Vec<_> {
            numbers.iter().map(|number| attempt(message, *number)).collect()
        };
        assert_eq!(
            kept,
            [of("suspend", &[1, 2, 5]), of("start", &[1, 2]), of("suspend", &[1, 2, 4])].concat()
        );
    }

    #[test]
    fn of_many_checks_the_first_and_the_last_are_kept() {
        let kept = |count: usize| {
            let checks: Vec<_> =
                (0..count).map(|n| Check::of::<String>("c", n.to_string(), Ok(()))).collect();
            let mut trace = DecisionTrace::default();
            trace.add_checks(NOW, &checks);
            let Traced::Identity { checks, omitted } = trace.entries()[0].what.clone() else {
                panic!("{trace:?}");
            };
            let subject =
                |check: Option<&Value>| check.and_then(|check| check["subject"].as_str()?.parse().ok());
            (subject(checks.first()), subject(checks.last()), checks.len(), omitted)
        };
        assert_eq!(kept(1), (Some(0), Some(0), 1, 0));
        assert_eq!(kept(CHECKS_MAX), (Some(0), Some(CHECKS_MAX - 1), CHECKS_MAX, 0));
        assert_eq!(kept(1000), (Some(0), Some(999), CHECKS_MAX, 1000 - CHECKS_MAX));
    }

    #[test]
    fn a_full_trace_still_has_room_for_the_refusal_that_decides() {
        let mut trace = DecisionTrace::default();
        for _ in 0..2 * ENTRIES_MAX {
            trace.add(NOW, Traced::State { state: "STARTED".to_owned() });
        }
        assert_eq!(trace.entries().len(), ENTRIES_MAX);
        let refused = Traced::Refused { reason: "the peer refuses".to_owned() };
        trace.add(NOW, refused.clone());
        assert_eq!(trace.entries().last().map(|entry| &entry.what), Some(&refused));
        for _ in 0..2 * REFUSALS_MAX {
            trace.add(NOW, refused.clone());
        }
        assert_eq!(trace.entries().len(), ENTRIES_MAX + REFUSALS_MAX);
    }
}
