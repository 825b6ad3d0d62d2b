//! Opened signing keys, because every protocol message needs a signature.
//!
//! Bounded: two halves, of which the older is dropped when the younger is full, so that keys in use stay. A key
//! that was deleted meanwhile cannot come back: whoever puts one in shows the ticket of its look-up, and every
//! deletion makes earlier tickets void.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use heddle_clock::Timestamp;
use heddle_jose::SoftwareKey;
use heddle_tenancy::Owner;

type Place = (Owner, Box<str>);

/// A private key in use.
pub(crate) struct OpenKey {
    pub(crate) key: SoftwareKey,
    /// The nonce of the entry that it was opened from: tells whether the stored entry is still that one.
    pub(crate) nonce: String,
    checked_at: AtomicI64,
}

impl OpenKey {
    pub(crate) fn new(key: SoftwareKey, nonce: String, now: Timestamp) -> Self {
        Self { key, nonce, checked_at: AtomicI64::new(now.as_millis()) }
    }

    /// When the stored entry was last seen.
    pub(crate) fn checked_at(&self) -> Timestamp {
        Timestamp::from_millis(self.checked_at.load(Ordering::Relaxed))
    }

    pub(crate) fn seen(&self, now: Timestamp) {
        self.checked_at.store(now.as_millis(), Ordering::Relaxed);
    }
}

/// Leave to put a key in, as long as nothing was deleted since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

struct Halves {
    younger: HashMap<Place, Arc<OpenKey>>,
    older: HashMap<Place, Arc<OpenKey>>,
    deletions: u64,
}

pub(crate) struct KeyCache {
    halves: Mutex<Halves>,
    half_max: usize,
}

impl KeyCache {
    /// At most `keys_max` keys over all owners.
    pub(crate) fn new(keys_max: usize) -> Self {
        let halves = Halves { younger: HashMap::new(), older: HashMap::new(), deletions: 0 };
        Self { halves: Mutex::new(halves), half_max: (keys_max / 2).max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, Halves> {
        // No code under the lock can leave it half changed.
        self.halves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, owner: &Owner, alias: &str) -> (Option<Arc<OpenKey>>, Ticket) {
        let place = (owner.clone(), Box::from(alias));
        let mut halves = self.lock();
        let ticket = Ticket(halves.deletions);
        if let Some(found) = halves.younger.get(&place) {
            return (Some(found.clone()), ticket);
        }
        let Some(found) = halves.older.remove(&place) else { return (None, ticket) };
        self.put(&mut halves, place, found.clone());
        (Some(found), ticket)
    }

    pub(crate) fn keep(&self, ticket: Ticket, owner: &Owner, alias: &str, key: Arc<OpenKey>) {
        let mut halves = self.lock();
        if Ticket(halves.deletions) == ticket {
            self.put(&mut halves, (owner.clone(), Box::from(alias)), key);
        }
    }

    fn put(&self, halves: &mut Halves, place: Place, key: Arc<OpenKey>) {
        if halves.younger.len() >= self.half_max {
            halves.older = std::mem::take(&mut halves.younger);
        }
        halves.older.remove(&place);
        halves.younger.insert(place, key);
    }

    pub(crate) fn forget(&self, owner: &Owner, alias: &str) {
        let place = (owner.clone(), Box::from(alias));
        let mut halves = self.lock();
        halves.deletions += 1;
        halves.younger.remove(&place);
        halves.older.remove(&place);
    }

    pub(crate) fn forget_all(&self, owner: &Owner) {
        let mut halves = self.lock();
        halves.deletions += 1;
        halves.younger.retain(|place, _| place.0 != *owner);
        halves.older.retain(|place, _| place.0 != *owner);
    }
}

#[cfg(test)]
mod tests {
    use heddle_jose::Algorithm;

    use super::*;

    fn key() -> Arc<OpenKey> {
        let key = SoftwareKey::generate(Algorithm::EdDsa).expect("entropy");
        Arc::new(OpenKey::new(key, String::new(), Timestamp::default()))
    }

    fn owner(text: &str) -> Owner {
        text.parse().expect("legal")
    }

    #[test]
    fn keys_in_use_stay_and_the_number_is_bounded() {
        let cache = KeyCache::new(8);
        let a = owner("p:a");
        let (_, ticket) = cache.find(&a, "hot");
        cache.keep(ticket, &a, "hot", key());
        for n in 0..100 {
            cache.keep(ticket, &a, &format!("cold {n}"), key());
            assert!(cache.find(&a, "hot").0.is_some(), "{n}");
            let halves = cache.lock();
            assert!(halves.younger.len() + halves.older.len() <= 8);
        }
        assert!(cache.find(&a, "cold 1").0.is_none());
    }

    #[test]
    fn a_deleted_key_cannot_come_back_by_a_look_up_that_was_under_way() {
        let cache = KeyCache::new(8);
        let (a, b) = (owner("p:a"), owner("p:b"));
        let (_, ticket) = cache.find(&a, "k");
        cache.forget(&a, "k");
        cache.keep(ticket, &a, "k", key());
        assert!(cache.find(&a, "k").0.is_none());
        let (_, ticket) = cache.find(&a, "k");
        cache.keep(ticket, &a, "k", key());
        cache.keep(ticket, &b, "k", key());
        cache.forget_all(&a);
        assert!(cache.find(&a, "k").0.is_none());
        assert!(cache.find(&b, "k").0.is_some(), "another owner's key stays");
    }
}
