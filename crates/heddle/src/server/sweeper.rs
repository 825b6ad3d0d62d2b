//! Deletes what has expired: nonces that were used, answers that were remembered, traces of refused requests.

use std::time::Duration;

use heddle_store::{Store, StoreError};
use heddle_web::Shutdown;
use tokio::time::MissedTickBehavior;

/// How often. What has expired counts no more, so nobody waits for this.
const EVERY: Duration = Duration::from_secs(60);

/// How many rows at a time: a backlog holds up nobody else's commits for long.
const ROWS: u32 = 5_000;

/// Sweeps at once and then every minute, until it is time to stop. Several processes may do so at once.
pub async fn sweep(store: Store, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.clone().requested() => return,
            _ = ticks.tick() => {}
        }
        match sweep_all(&store, &shutdown, ROWS).await {
            Ok(rows) => {
                tracing::debug!(component = "server", action = "sweep", rows, "what has expired is gone");
            }
            Err(error) => tracing::warn!(
                component = "server",
                action = "sweep",
                %error,
                "what has expired could not be deleted; the next sweep tries again"
            ),
        }
    }
}

/// Batch by batch; says how many rows.
async fn sweep_all(store: &Store, shutdown: &Shutdown, limit: u32) -> Result<u64, StoreError> {
    let mut rows = 0;
    loop {
        let deleted = store.sweep(limit).await?;
        rows += deleted;
        if deleted < u64::from(limit) || shutdown.is_requested() {
            return Ok(rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use heddle_clock::Environment;
    use heddle_store_sqlite::SqliteDatabase;
    use heddle_tenancy::{Actor, ScopeIssuer};

    use super::*;

    #[tokio::test]
    async fn a_server_sweeps_as_soon_as_it_runs_and_stops_when_told() {
        let environment = Environment::system();
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let store = Store::new(Arc::new(database), environment.clone());
        #[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
        let operator = ScopeIssuer::new().operator(Actor::new("test"));
        let use_it = async || {
            let mut transaction = store.begin(&operator);
            transaction.once("value", environment.now());
            transaction.commit().await
        };
        use_it().await.expect("it is new");
        let (stop, shutdown) = Shutdown::pair();
        let running = tokio::spawn(sweep(store.clone(), shutdown));
        // The value can be used anew as soon as it is forgotten.
        while use_it().await.is_err() {
            tokio::task::yield_now().await;
        }
        stop.stop();
        running.await.expect("it returns");
    }

    #[tokio::test]
    async fn a_backlog_is_swept_to_its_end_in_batches() {
        let environment = Environment::system();
        let database = SqliteDatabase::temporary(&environment).await.expect("a temporary database");
        let store = Store::new(Arc::new(database), environment.clone());
        #[expect(clippy::disallowed_methods, reason = "the test plays the composition root")]
        let operator = ScopeIssuer::new().operator(Actor::new("test"));
        let mut transaction = store.begin(&operator);
        for value in 0..7 {
            transaction.once(value.to_string(), environment.now());
        }
        transaction.commit().await.expect("they are new");
        let (stop, shutdown) = Shutdown::pair();
        assert_eq!(sweep_all(&store, &shutdown, 3).await.expect("it sweeps"), 7);
        assert_eq!(sweep_all(&store, &shutdown, 3).await.expect("it sweeps"), 0);
        drop(stop);
    }
}
