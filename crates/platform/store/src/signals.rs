//! Wake-ups: who waits for something that is committed, in this process or in another one of the installation, is
//! told that there is something to see. What it is, the database says.
//!
//! This is the half of the bus that knows no data. A wake-up may come for nothing and may be lost; every waiter
//! looks again after [`Signals::safety_net`] in any case. Within a process they are counters. Between processes a
//! *carrier* brings them: it tells the others what [`Signals::announced`] gives, and calls [`Signals::heard`] for what
//! the others have told, and for everything whenever it cannot know what it has missed. The carrier of PostgreSQL is
//! `LISTEN` and `NOTIFY`; SQLite, which one process has for itself, needs none.

use std::{sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};

/// How long waiters wait without a wake-up, unless said otherwise.
const SAFETY_NET: Duration = Duration::from_secs(5);

/// What there may be to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A job that can be claimed, or another time at which the next one falls due.
    Jobs,
    /// An event that has got its place.
    Events,
}

impl Topic {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Jobs, Self::Events];
}

/// Counters that move when something was committed; a waiter subscribes instead of polling. Clones are the same.
#[derive(Debug, Clone)]
pub struct Signals {
    jobs: Arc<watch::Sender<u64>>,
    events: Arc<watch::Sender<u64>>,
    audit: Arc<watch::Sender<u64>>,
    outgoing: Arc<Outgoing>,
    safety_net: Duration,
}

/// What other processes are to be told. Many tellings of a topic become one.
#[derive(Debug, Default)]
struct Outgoing {
    jobs: Notify,
    events: Notify,
}

impl Default for Signals {
    fn default() -> Self {
        Self::with_safety_net(SAFETY_NET)
    }
}

impl Signals {
    /// With another wait after which waiters look in any case.
    #[must_use]
    pub fn with_safety_net(safety_net: Duration) -> Self {
        let counter = || Arc::new(watch::Sender::new(0));
        Self { jobs: counter(), events: counter(), audit: counter(), outgoing: Arc::default(), safety_net }
    }

    /// Moves when a job was enqueued, freed or finished.
    #[must_use]
    pub fn jobs(&self) -> watch::Receiver<u64> {
        self.jobs.subscribe()
    }

    /// Moves when an event has got its place.
    #[must_use]
    pub fn events(&self) -> watch::Receiver<u64> {
        self.events.subscribe()
    }

    /// Moves when this process has written an entry of the audit log, which is to be sealed.
    #[must_use]
    pub fn audit(&self) -> watch::Receiver<u64> {
        self.audit.subscribe()
    }

    /// Tells whoever seals. For implementations.
    pub fn notify_audit(&self) {
        self.audit.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// How long a waiter waits without a wake-up before it looks, should one have been lost.
    #[must_use]
    pub fn safety_net(&self) -> Duration {
        self.safety_net
    }

    /// Tells waiters for jobs in this process. For implementations.
    pub fn notify_jobs(&self) {
        self.heard(Topic::Jobs);
    }

    /// Tells waiters for events in this process. For implementations.
    pub fn notify_events(&self) {
        self.heard(Topic::Events);
    }

    /// Tells waiters in this process. For carriers: somebody else has committed something.
    pub fn heard(&self, topic: Topic) {
        let counter = match topic {
            Topic::Jobs => &self.jobs,
            Topic::Events => &self.events,
        };
        counter.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Tells waiters in this process and, by a carrier, in all others. For implementations that processes share:
    /// something was committed here.
    pub fn announce(&self, topic: Topic) {
        self.heard(topic);
        self.outgoing(topic).notify_one();
    }

    /// Waits until there is something to tell the others. For the one carrier of a process.
    pub async fn announced(&self) -> Topic {
        tokio::select! {
            () = self.outgoing.jobs.notified() => Topic::Jobs,
            () = self.outgoing.events.notified() => Topic::Events,
        }
    }

    fn outgoing(&self, topic: Topic) -> &Notify {
        match topic {
            Topic::Jobs => &self.outgoing.jobs,
            Topic::Events => &self.outgoing.events,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_heard_goes_to_waiters_and_what_is_announced_to_others_too() {
        let signals = Signals::default();
        let (mut jobs, mut events) = (signals.jobs(), signals.events());
        signals.heard(Topic::Events);
        assert!(events.has_changed().expect("open") && !jobs.has_changed().expect("open"));
        events.mark_unchanged();
        signals.announce(Topic::Jobs);
        signals.announce(Topic::Jobs);
        assert!(jobs.has_changed().expect("open") && !events.has_changed().expect("open"));
        jobs.mark_unchanged();
        assert_eq!(signals.announced().await, Topic::Jobs);
        signals.announce(Topic::Events);
        assert_eq!(signals.announced().await, Topic::Events, "two tellings of jobs were one");
    }
}
