//! Failed attempts per client id.
//!
//! Secrets are too long to be guessed; what is limited is the work and the log lines that somebody who tries
//! causes. Whoever knows the right secret is not locked out by others who do not: the digest of the last secret
//! that was right is remembered, and passes.

use std::time::Duration;

use heddle_clock::Timestamp;
use moka::{ops::compute::Op, sync::Cache};

use crate::client::SecretHash;

/// Failed attempts within [`WINDOW`] after which a client id is refused unseen.
const FAILURES_MAX: u32 = 10;
/// How long failures count.
const WINDOW: Duration = Duration::from_secs(60);
/// Most client ids that are remembered.
const CLIENTS_MAX: u64 = 10_000;
/// Client ids longer than this, in bytes, are never right, and are not remembered.
const CLIENT_ID_BYTES_MAX: usize = heddle_ids::ID_BYTES_MAX;

#[derive(Debug, Clone)]
struct Record {
    failures: u32,
    since: Timestamp,
    right: Option<SecretHash>,
}

/// Whether an attempt is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    Now,
    /// Not before this time has passed.
    After(Duration),
}

pub(crate) struct Attempts(Cache<String, Record>);

impl Default for Attempts {
    fn default() -> Self {
        Self(Cache::new(CLIENTS_MAX))
    }
}

impl Attempts {
    pub(crate) fn pass(&self, client_id: &str, hash: &SecretHash, now: Timestamp) -> Pass {
        let Some(record) = self.0.get(client_id) else { return Pass::Now };
        let elapsed = now.since(record.since);
        let blocked = record.failures >= FAILURES_MAX && elapsed < WINDOW;
        if blocked && !record.right.is_some_and(|right| right.same(hash)) {
            return Pass::After(WINDOW.saturating_sub(elapsed));
        }
        Pass::Now
    }

    pub(crate) fn failed(&self, client_id: &str, now: Timestamp) {
        if client_id.len() > CLIENT_ID_BYTES_MAX {
            return;
        }
        self.0.entry_by_ref(client_id).and_compute_with(|entry| {
            let known = entry.map(moka::Entry::into_value);
            let right = known.as_ref().and_then(|record| record.right.clone());
            let counts = known.filter(|record| now.since(record.since) < WINDOW);
            let (failures, since) = counts.map_or((0, now), |record| (record.failures, record.since));
            Op::Put(Record { failures: failures.saturating_add(1), since, right })
        });
    }

    pub(crate) fn succeeded(&self, client_id: &str, hash: SecretHash, now: Timestamp) {
        let known = self.0.get(client_id);
        if known.as_ref().is_some_and(|record| record.right.as_ref() == Some(&hash)) {
            return;
        }
        let (failures, since) = known.map_or((0, now), |record| (record.failures, record.since));
        self.0.insert(client_id.to_owned(), Record { failures, since, right: Some(hash) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_count_for_a_while_and_lock_nobody_out_who_knows_the_secret() {
        let attempts = Attempts::default();
        let (right, wrong) = (SecretHash::of(b"right"), SecretHash::of(b"wrong"));
        let start = Timestamp::from_seconds(1000);
        attempts.succeeded("a", right.clone(), start);
        for n in 0..FAILURES_MAX {
            assert_eq!(attempts.pass("a", &wrong, start), Pass::Now, "{n}");
            attempts.failed("a", start);
        }
        let later = start + Duration::from_secs(20);
        assert_eq!(attempts.pass("a", &wrong, later), Pass::After(Duration::from_secs(40)));
        assert_eq!(attempts.pass("a", &right, later), Pass::Now);
        assert_eq!(attempts.pass("b", &wrong, later), Pass::Now, "another client");
        assert_eq!(attempts.pass("a", &wrong, start + WINDOW), Pass::Now, "the window has passed");
        attempts.failed("a", start + WINDOW);
        assert_eq!(attempts.pass("a", &wrong, start + WINDOW), Pass::Now, "and counting began anew");
    }
}
