//! Which workers are alive, so that nobody waits for the leases of the dead.
//!
//! A worker's presence is an advisory lock, shared and held by the session on which its process listens: PostgreSQL
//! frees it when the process dies, however it dies. Every process looks now and then for leases of workers without a
//! presence and frees them. Should one of them be alive after all, its job is run again and the first holder is
//! fenced off, as after any lost lease; a session that breaks and comes back is not missed.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Pool};
use heddle_ids::WorkerId;
use heddle_store::{Signals, StoreError};
use tokio::sync::Notify;
use tokio_postgres::{Client, Error};

use crate::{
    error::{of_pool, of_statement},
    listener::{Announcements, RECONNECT_WAIT},
    pipeline::{Call, values},
    reads::{count_of, read},
    session,
};

/// How long between two looks.
const INTERVAL: Duration = Duration::from_secs(5);
/// Who is missed twice is dead: in between, a living session would have come back.
const CERTAINTY: Duration = RECONNECT_WAIT.saturating_mul(3);

/// The workers of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presence {
    workers: Arc<Mutex<BTreeSet<String>>>,
    more: Arc<Notify>,
}

impl Presence {
    /// A worker of this process takes leases from here on.
    pub(crate) fn note(&self, worker: &WorkerId) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if !workers.contains(worker.as_str()) {
            workers.insert(worker.to_string());
            self.more.notify_one();
        }
    }

    /// Another worker was noted.
    pub(crate) async fn grown(&self) {
        self.more.notified().await;
    }

    /// Holds the presence of all workers on `client`'s session, again and again: it is counted.
    pub(crate) async fn hold(&self, client: &Client) -> Result<(), Error> {
        let sql = "SELECT pg_advisory_lock_shared(8, hashtext(worker)) FROM unnest($1::text[]) AS worker";
        client.query(sql, &[&self.known()]).await.map(drop)
    }

    fn known(&self) -> Vec<String> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Looks for the dead and frees their leases, until it is aborted.
pub(crate) async fn watch(pool: Pool, presence: Presence, signals: Signals, announcements: Announcements) {
    loop {
        match free(&pool, &presence).await {
            Ok(0) => {}
            Ok(leases) => {
                tracing::info!(
                    component = "store",
                    action = "free",
                    leases,
                    "leases of dead workers are free"
                );
                signals.notify_jobs();
                announcements.jobs();
            }
            Err(error) => {
                tracing::warn!(component = "store", action = "free", %error, "leases of the dead must run out");
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn free(pool: &Pool, presence: &Presence) -> Result<u64, StoreError> {
    let missed = missing(&*pool.get().await.map_err(of_pool)?, presence).await?;
    if missed.is_empty() {
        return Ok(0);
    }
    tokio::time::sleep(CERTAINTY).await;
    let client = pool.get().await.map_err(of_pool)?;
    let mut dead = missing(&client, presence).await?;
    dead.retain(|worker| missed.contains(worker));
    let sql = "WITH freed AS (
             UPDATE heddle.job SET lease_worker = NULL, lease_token = NULL, lease_until = NULL
             WHERE lease_until IS NOT NULL AND lease_worker = ANY ($1)
             RETURNING 1
         ) SELECT count(*) FROM freed";
    count_of(&read(&client, session::LEASE_AS_WORKER, Vec::new(), Call::new(sql, values![dead])).await?)
}

/// Workers of other processes that hold leases and have no presence.
async fn missing(client: &ClientWrapper, presence: &Presence) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT lease_worker FROM heddle.job
         WHERE lease_until IS NOT NULL AND lease_worker <> ALL ($1) AND NOT EXISTS (
             SELECT FROM pg_locks
             JOIN pg_database ON pg_database.oid = pg_locks.database AND datname = current_database()
             WHERE locktype = 'advisory' AND granted AND classid = 8 AND objsubid = 2
               AND objid::bigint = hashtext(lease_worker)::bigint & 4294967295
         )";
    let call = Call::new(sql, values![presence.known()]);
    let rows = read(client, session::READ_AS_WORKER, Vec::new(), call).await?;
    let workers: Result<_, Error> = rows.iter().map(|row| row.try_get(0)).collect();
    workers.map_err(|e| of_statement(&e))
}
