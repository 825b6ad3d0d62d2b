//! How many requests are answered: of each client, and from each address.
//!
//! Who has been quiet for a minute may send a minute's requests at once; after that they come back evenly. One point in
//! time is remembered of each, for the most recent ones, so that memory is bounded whoever asks.

use std::{net::IpAddr, time::Duration};

use heddle_clock::Timestamp;
use moka::{ops::compute::Op, policy::EvictionPolicy, sync::Cache};

const MINUTE_MICROS: i64 = 60_000_000;
/// Most clients, and most addresses, that are remembered.
const REMEMBERED_MAX: u64 = 65_536;
/// Whoever has been quiet for so long has all requests of a minute again.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(120);
/// What stands for clients whose ids are too long to be right.
const KEY_BYTES_MAX: usize = heddle_ids::ID_BYTES_MAX;

/// Requests within a minute, by whatever they are counted by.
pub(crate) struct Rates {
    per_minute: u32,
    /// When the requests that were answered would have ended, had they come evenly; microseconds since 1970.
    next: Cache<String, i64>,
}

impl Rates {
    pub(crate) fn per_minute(per_minute: u32) -> Self {
        let next = Cache::builder()
            .max_capacity(REMEMBERED_MAX)
            .time_to_idle(FORGOTTEN_AFTER)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { per_minute: per_minute.max(1), next }
    }

    /// Counts a request; when there are too many, the time after which another one is answered.
    pub(crate) fn take(&self, key: &str, now: Timestamp) -> Result<(), Duration> {
        let key = if key.len() > KEY_BYTES_MAX { "" } else { key };
        let now = now.as_millis().saturating_mul(1000);
        let step = MINUTE_MICROS / i64::from(self.per_minute);
        let mut wait = 0;
        self.next.entry_by_ref(key).and_compute_with(|entry| {
            let next = entry.map_or(now, |entry| entry.into_value().max(now));
            // A clock that was set back leaves nobody waiting for longer than a minute.
            let next = next.min(now + MINUTE_MICROS);
            wait = next + step - MINUTE_MICROS - now;
            if wait > 0 { Op::Nop } else { Op::Put(next + step) }
        });
        match u64::try_from(wait) {
            Ok(wait) if wait > 0 => Err(Duration::from_micros(wait)),
            _ => Ok(()),
        }
    }
}

/// What requests from an address are counted by: of IPv6 the network, as one host has all of its addresses.
pub(crate) fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:x}", address.to_bits() >> 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_requests_may_come_at_once_and_come_back_evenly() {
        let rates = Rates::per_minute(6);
        let start = Timestamp::from_seconds(1000);
        for n in 0..6 {
            assert_eq!(rates.take("a", start), Ok(()), "{n}");
        }
        assert_eq!(rates.take("a", start), Err(Duration::from_secs(10)));
        assert_eq!(rates.take("b", start), Ok(()), "another one");
        let later = start + Duration::from_secs(10);
        assert_eq!(rates.take("a", later), Ok(()));
        assert_eq!(rates.take("a", later), Err(Duration::from_secs(10)), "one has come back");
        let much_later = start + Duration::from_secs(3600);
        let answered = (0..100).filter(|_| rates.take("a", much_later).is_ok()).count();
        assert_eq!(answered, 6, "not more than a minute's");
        assert!(
            rates.take("a", start).is_err_and(|wait| wait <= Duration::from_secs(60)),
            "a clock set back"
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let rates = Rates::per_minute(1);
        let now = Timestamp::from_seconds(1000);
        for n in 0..REMEMBERED_MAX + 5000 {
            rates.take(&n.to_string(), now).expect("each is new");
        }
        rates.next.run_pending_tasks();
        assert!(rates.next.entry_count() <= REMEMBERED_MAX, "{}", rates.next.entry_count());
        assert!(rates.take(&"x".repeat(KEY_BYTES_MAX + 1), now).is_ok());
        assert!(rates.take(&"y".repeat(KEY_BYTES_MAX + 1), now).is_err(), "all of them are one");
    }

    #[test]
    fn a_host_is_counted_once_whatever_its_addresses() {
        let key = |text: &str| address_key(text.parse().expect("an address"));
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:2"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }
}
