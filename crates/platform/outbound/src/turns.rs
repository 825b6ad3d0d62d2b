//! How many requests one host is asked at a time.
//!
//! A host that is slow, or that somebody names in a thousand places, must hold neither all of our connections nor all
//! of our workers; and no host should suffer more requests at once than it can be expected to bear. Whoever finds its
//! host busy waits in a bounded line.
//!
//! Each [`Lane`] has places of its own. With shared ones two installations deadlock: all of ours are taken by requests
//! that the other one answers only after it has asked us, and all of its by requests that wait for the same.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a request waits for, and so which places it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// An answer that needs nothing from us: DID documents, status lists, keys.
    Lookup,
    /// An answer for which the other side may have to look something up, at most: presentations.
    Proof,
    /// An answer for which the other side may want proof first: protocol messages.
    Message,
    /// Bytes that come as long as they come.
    Stream,
}

/// The bounds for one host and lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostLimits {
    /// Most requests at a time.
    pub requests_max: usize,
    /// Most streams at a time.
    pub streams_max: usize,
    /// Most requests that wait for their turn; one more fails at once.
    pub waiting_max: usize,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self { requests_max: 64, streams_max: 512, waiting_max: 1024 }
    }
}

type Key = (String, Lane);

/// The hosts that are being asked. One that is not takes no memory.
#[derive(Debug)]
pub(crate) struct Turns {
    limits: HostLimits,
    hosts: Mutex<HashMap<Key, Host>>,
}

#[derive(Debug)]
struct Host {
    places: Arc<Semaphore>,
    /// Those who are asking or waiting.
    users: usize,
}

/// Leave to ask a host now; the next one's turn comes when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    place: Option<OwnedSemaphorePermit>,
    _user: User,
}

/// One who asks or waits. Counted until dropped, also while waiting.
#[derive(Debug)]
struct User {
    turns: Arc<Turns>,
    key: Key,
}

impl Turns {
    pub fn new(limits: HostLimits) -> Arc<Self> {
        Arc::new(Self { limits, hosts: Mutex::default() })
    }

    /// Waits for a turn at `host`; `None` when too many wait already.
    pub async fn take(self: &Arc<Self>, host: String, lane: Lane) -> Option<Turn> {
        let (places, user) = self.join((host, lane))?;
        let place = places.acquire_owned().await.ok();
        Some(Turn { place, _user: user })
    }

    fn join(self: &Arc<Self>, key: Key) -> Option<(Arc<Semaphore>, User)> {
        let most = match key.1 {
            Lane::Stream => self.limits.streams_max,
            _ => self.limits.requests_max,
        };
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(key.clone()).or_insert_with(|| Host {
            places: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
            users: 0,
        });
        if host.users >= most.saturating_add(self.limits.waiting_max).max(1) {
            return None;
        }
        host.users += 1;
        Some((host.places.clone(), User { turns: self.clone(), key }))
    }

    #[cfg(test)]
    fn hosts(&self) -> usize {
        self.hosts.lock().expect("unpoisoned").len()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Before the user is counted out: the host may be forgotten then.
        self.place.take();
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let mut hosts = self.turns.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get_mut(&self.key) {
            host.users -= 1;
            if host.users == 0 {
                hosts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn turns() -> Arc<Turns> {
        Turns::new(HostLimits { requests_max: 2, streams_max: 1, waiting_max: 1 })
    }

    async fn take(turns: &Arc<Turns>, host: &str, lane: Lane) -> Turn {
        turns.take(host.to_owned(), lane).await.expect("not too many")
    }

    #[tokio::test]
    async fn a_busy_host_lets_one_wait_and_sends_the_next_away() {
        let turns = turns();
        let first = take(&turns, "a", Lane::Message).await;
        let _second = take(&turns, "a", Lane::Message).await;
        let mut third = Box::pin(take(&turns, "a", Lane::Message));
        assert!((&mut third).now_or_never().is_none(), "it waits");
        assert!(turns.take("a".to_owned(), Lane::Message).await.is_none(), "the line is full");
        drop(first);
        third.await;
    }

    #[tokio::test]
    async fn hosts_and_lanes_do_not_wait_for_one_another() {
        let turns = turns();
        let _taken = [take(&turns, "a", Lane::Message).await, take(&turns, "a", Lane::Message).await];
        for (host, lane) in
            [("b", Lane::Message), ("a", Lane::Proof), ("a", Lane::Lookup), ("a", Lane::Stream)]
        {
            assert!(take(&turns, host, lane).now_or_never().is_some(), "{host} {lane:?}");
        }
    }

    #[tokio::test]
    async fn a_host_that_nobody_asks_is_forgotten_also_by_who_gave_up() {
        let turns = turns();
        let taken = [take(&turns, "a", Lane::Message).await, take(&turns, "a", Lane::Message).await];
        let mut waiting = Box::pin(take(&turns, "a", Lane::Message));
        assert!((&mut waiting).now_or_never().is_none());
        drop(waiting);
        assert_eq!(turns.hosts(), 1);
        drop(taken);
        assert_eq!(turns.hosts(), 0);
    }
}
