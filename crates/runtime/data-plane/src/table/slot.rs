//! One flow in the table.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use heddle_ids::ParticipantContextId;
use subtle::ConstantTimeEq;
use tokio::{sync::watch, time::Instant};

use super::LiveFlow;
use crate::source::ReadySource;

/// When a slot was last compared with the directory: the store's count of events before that, and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) events: u64,
    pub(super) at: Instant,
}

/// One flow. What is learnt about it is put in order by its revision, so that the order in which news arrive does
/// not matter; that it is over is final.
pub(super) struct Slot {
    known: Mutex<Known>,
    /// Whether data may flow, for those who are sending some.
    open: watch::Sender<bool>,
}

struct Known {
    live: Arc<LiveFlow>,
    over: Option<Instant>,
    source: Option<Arc<ReadySource>>,
    looked: Option<Look>,
}

/// What a slot says to a token.
pub(super) struct Verdict {
    /// The flow, if the token opens it.
    pub(super) admitted: Option<Admitted>,
    /// When the slot was last compared with the directory.
    pub(super) looked: Option<Look>,
    /// The flow is over: there is nothing to compare any more.
    pub(super) over: bool,
}

/// A flow that a token opens.
pub(super) struct Admitted {
    pub(super) live: Arc<LiveFlow>,
    pub(super) source: Option<Arc<ReadySource>>,
    pub(super) open: watch::Receiver<bool>,
}

impl Slot {
    pub(super) fn new(live: LiveFlow) -> Self {
        let open = watch::Sender::new(live.is_open());
        count(&live, 1.0);
        let known = Known { live: Arc::new(live), over: None, source: None, looked: None };
        Self { known: Mutex::new(known), open }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // No code under the lock can leave it half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what is newer than what is known.
    pub(super) fn learn(&self, live: LiveFlow) {
        let mut known = self.lock();
        if known.over.is_some() || live.revision <= known.live.revision {
            return;
        }
        count(&known.live, -1.0);
        count(&live, 1.0);
        self.open.send_replace(live.is_open());
        known.live = Arc::new(live);
    }

    /// The flow is over.
    pub(super) fn end(&self, now: Instant) {
        let mut known = self.lock();
        if known.over.is_some() {
            return;
        }
        count(&known.live, -1.0);
        known.over = Some(now);
        known.source = None;
        self.open.send_replace(false);
    }

    /// Whether it is a flow of this participant.
    pub(super) fn is_of(&self, participant: &ParticipantContextId) -> bool {
        self.lock().live.participant == *participant
    }

    /// What the slot says to the token with this digest. Takes the same time for every wrong token.
    pub(super) fn judge(&self, token_sha256: &str) -> Verdict {
        let known = self.lock();
        let same = bool::from(token_sha256.as_bytes().ct_eq(known.live.token_sha256.as_bytes()));
        let over = known.over.is_some();
        let admitted = (same && !over && known.live.is_open()).then(|| Admitted {
            live: known.live.clone(),
            source: known.source.clone(),
            open: self.open.subscribe(),
        });
        Verdict { admitted, looked: known.looked, over }
    }

    /// Notes that the directory was asked. The source is read again, too: other replicas may have set another.
    pub(super) fn looked(&self, look: Look) {
        let mut known = self.lock();
        known.looked = Some(look);
        known.source = None;
    }

    pub(super) fn keep_source(&self, source: Arc<ReadySource>) {
        self.lock().source = Some(source);
    }

    pub(super) fn forget_source(&self, of: impl Fn(&LiveFlow) -> bool) {
        let mut known = self.lock();
        if of(&known.live) {
            known.source = None;
        }
    }

    /// Whether somebody is sending data of the flow, and news may have come since it was last looked at: there were
    /// events, or it is as old as `age`.
    pub(super) fn is_busy(&self, events: u64, age: Duration) -> bool {
        let known = |look: Look| look.events == events && look.at.elapsed() < age;
        self.open.receiver_count() > 0 && !self.lock().looked.is_some_and(known)
    }

    /// Whether it was not looked at for so long, and may be over since.
    pub(super) fn is_old(&self, age: Duration) -> bool {
        let known = self.lock();
        known.over.is_none() && known.looked.is_none_or(|look| look.at.elapsed() >= age)
    }

    /// Since when the flow is over.
    pub(super) fn over_since(&self) -> Option<Instant> {
        self.lock().over
    }
}

/// Counts flows that are served here by their state.
fn count(live: &LiveFlow, by: f64) {
    metrics::gauge!("heddle_flows", "state" => live.state.as_str()).increment(by);
}

#[cfg(test)]
mod tests {
    use heddle_dps::State;

    use super::*;

    fn live(revision: u64, state: State) -> LiveFlow {
        LiveFlow {
            participant: "alice".parse().expect("legal"),
            dataset: "d".parse().expect("legal"),
            state,
            token_sha256: "aa".to_owned(),
            revision,
        }
    }

    fn opens(slot: &Slot, token: &str) -> bool {
        slot.judge(token).admitted.is_some()
    }

    #[test]
    fn late_news_do_not_open_what_was_closed() {
        let slot = Slot::new(live(1, State::Started));
        assert!(opens(&slot, "aa") && !opens(&slot, "ab") && !opens(&slot, ""));
        slot.learn(live(2, State::Suspended));
        slot.learn(live(1, State::Started));
        assert!(!opens(&slot, "aa"), "an older value comes too late");
        slot.learn(live(3, State::Started));
        assert!(opens(&slot, "aa"));
        slot.end(Instant::now());
        slot.learn(live(9, State::Started));
        assert!(!opens(&slot, "aa"), "the end is final");
    }

    #[test]
    fn whoever_sends_learns_of_the_end() {
        let slot = Slot::new(live(1, State::Started));
        let admitted = slot.judge("aa").admitted.expect("admitted");
        assert!(*admitted.open.borrow());
        slot.learn(live(2, State::Suspended));
        assert!(!*admitted.open.borrow());
        slot.learn(live(3, State::Started));
        assert!(*admitted.open.borrow());
        slot.end(Instant::now());
        assert!(!*admitted.open.borrow());
    }
}
