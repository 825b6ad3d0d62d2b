//! Counts rows for gauges, at an interval: no scrape waits for that, and none makes the database count.

use std::{collections::BTreeSet, time::Duration};

use heddle_clock::Timestamp;
use heddle_store::{Census, Store};
use heddle_web::Shutdown;
use tokio::time::{Instant, MissedTickBehavior};

use super::operations::tidy_metrics;

/// Counting takes at most this part of the time: the larger the database, the longer the interval.
const SHARE_OF_TIME: u32 = 100;

/// Which published rows stand for what: each is one participant context in a kind of service.
const VPAS: [(&str, &str); 3] = [
    ("participant", "control-plane"),
    ("holder", "credential-service"),
    ("issuer-metadata", "issuer-service"),
];

/// Counts at once and then at the interval, until it is time to stop. Every process counts for itself.
pub async fn sample(store: Store, every: Duration, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sampler = Sampler::default();
    loop {
        tokio::select! {
            () = shutdown.clone().requested() => return,
            _ = ticks.tick() => {}
        }
        tidy_metrics();
        pools(&store);
        let begun = Instant::now();
        match store.census().await {
            Ok(census) => sampler.show(&census, store.environment().now()),
            Err(error) => {
                tracing::debug!(component = "server", action = "count", %error, "rows were not counted");
            }
        }
        let rest = begun.elapsed() * SHARE_OF_TIME;
        if rest > every {
            ticks.reset_after(rest);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no pool has that many connections")]
fn pools(store: &Store) {
    for pool in store.database().pools() {
        let name = pool.name;
        metrics::gauge!("heddle_store_connections_max", "pool" => name).set(pool.max as f64);
        for (state, connections) in [("busy", pool.busy), ("idle", pool.idle), ("awaited", pool.awaited)] {
            metrics::gauge!("heddle_store_connections", "pool" => name, "state" => state)
                .set(connections as f64);
        }
    }
}

/// What was shown before: a kind that has no jobs any more is shown with none.
#[derive(Debug, Default)]
struct Sampler {
    kinds: BTreeSet<String>,
}

impl Sampler {
    #[expect(clippy::cast_precision_loss, reason = "no database has that many rows")]
    fn show(&mut self, census: &Census, now: Timestamp) {
        for kind in &self.kinds {
            if !census.jobs.iter().any(|count| count.kind == *kind) {
                show_jobs(kind, (0, 0, 0));
            }
        }
        for count in &census.jobs {
            show_jobs(&count.kind, (count.waiting, count.running, count.dead));
            self.kinds.insert(count.kind.clone());
        }
        let overdue = census.overdue_since.map_or(Duration::ZERO, |since| now.since(since));
        metrics::gauge!("heddle_job_overdue_seconds").set(overdue.as_secs_f64());
        let published = |kind: &str| {
            let found = census.published.iter().find(|count| count.kind == kind);
            found.map_or((0, 0), |count| (count.rows, count.inactive))
        };
        metrics::gauge!("heddle_tenants").set(published("tenant").0 as f64);
        for (kind, service) in VPAS {
            let (all, inactive) = published(kind);
            for (state, vpas) in [("active", all.saturating_sub(inactive)), ("inactive", inactive)] {
                metrics::gauge!("heddle_vpas", "service" => service, "state" => state).set(vpas as f64);
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no database has that many jobs")]
fn show_jobs(kind: &str, (waiting, running, dead): (u64, u64, u64)) {
    for (state, jobs) in [("waiting", waiting), ("running", running), ("dead", dead)] {
        metrics::gauge!("heddle_jobs", "kind" => kind.to_owned(), "state" => state).set(jobs as f64);
    }
}
