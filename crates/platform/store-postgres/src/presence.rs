//! Which workers are alive, so that nobody waits for the leases of the dead.
//!
//! A worker's presence is an advisory lock, shared and held by the session on which its process listens: PostgreSQL
//! frees it when the process dies, however it dies. A lease that is taken while the lock is held carries a mark
//! ([`MARK`]) before its worker's id. Every process looks now and then for marked leases without a lock, and frees
//! those whose lock was missing in every look for longer than a living session needs to come back.
//!
//! Leases without the mark are judged by nobody and run out: those of workers that never got the lock, and those of
//! releases that know no presence. A process that sees its lock held marks the leases that it took, or kept, without
//! it. A process that misses its own lock (its session broke, or a pooler that is not in
//! session mode took the connection away) takes the mark off its leases before others may free them, and takes the
//! lock again. Should a lease of the living be freed after all, its job is run again and the first holder is fenced
//! off, as after any lost lease.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Pool};
use heddle_ids::WorkerId;
use heddle_store::{Signals, StoreError, Topic};
use tokio::{
    sync::{Notify, watch::Sender},
    time::Instant,
};
use tokio_postgres::{Client, Error};

use crate::{
    error::{in_time, of_pool, of_statement},
    listener::RECONNECT_WAIT,
    pipeline::{Call, values},
    reads::{count_of, read},
    session,
};

/// Stands in `lease_worker` before the id of a worker whose lock was held when it took the lease.
const MARK: &str = "present:";
/// How long between two looks.
const INTERVAL: Duration = Duration::from_secs(2);
/// How long the first lease of a worker waits for its lock. It does without then.
const SHOW_WAIT: Duration = RECONNECT_WAIT;

/// The workers of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presence {
    workers: Arc<Sender<Workers>>,
    more: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Workers {
    known: BTreeSet<String>,
    /// Those whose lock is held, as far as this process knows.
    shown: BTreeSet<String>,
}

impl Presence {
    /// A worker of this process is about to take leases: the name under which it takes them.
    pub(crate) async fn enlist(&self, worker: &WorkerId) -> WorkerId {
        let name = format!("{MARK}{worker}");
        let new =
            |workers: &mut Workers| !workers.known.contains(&name) && workers.known.insert(name.clone());
        if self.workers.send_if_modified(new) {
            self.more.notify_one();
            let mut workers = self.workers.subscribe();
            let shown = workers.wait_for(|workers| workers.shown.contains(&name));
            // Whether it was shown in time is seen below.
            drop(tokio::time::timeout(SHOW_WAIT, shown).await);
        }
        let shown = self.workers.borrow().shown.contains(&name);
        // A name that is too long with its mark goes without.
        if shown { WorkerId::parse(name).unwrap_or_else(|_| worker.clone()) } else { worker.clone() }
    }

    /// A lock of a worker is to be taken.
    pub(crate) async fn wanted(&self) {
        self.more.notified().await;
    }

    /// Holds the locks of all workers on `client`'s session, again and again: they are counted.
    pub(crate) async fn hold(&self, client: &Client) -> Result<(), Error> {
        let known = self.known();
        let sql = "SELECT pg_advisory_lock_shared(8, hashtext(worker)) FROM unnest($1::text[]) AS worker";
        client.query(sql, &[&known]).await?;
        self.workers.send_modify(|workers| workers.shown.extend(known));
        Ok(())
    }

    /// The session that held the locks is over.
    pub(crate) fn interrupted(&self) {
        self.workers.send_modify(|workers| workers.shown.clear());
    }

    /// Somebody has looked, and these locks were not held.
    fn missed(&self, names: &[String]) {
        self.workers.send_modify(|workers| workers.shown.retain(|name| !names.contains(name)));
        self.more.notify_one();
    }

    fn known(&self) -> Vec<String> {
        self.workers.borrow().known.iter().cloned().collect()
    }
}

/// Since when workers of other processes are missing, in every look.
#[derive(Debug, Default)]
struct Absences(BTreeMap<String, Instant>);

impl Absences {
    /// These are missing in a look; which of them have been for `certainty`?
    fn note(&mut self, missing: Vec<String>, now: Instant, certainty: Duration) -> Vec<String> {
        self.0.retain(|name, _| missing.contains(name));
        for name in missing {
            self.0.entry(name).or_insert(now);
        }
        self.0.iter().filter(|(_, since)| now - **since >= certainty).map(|(name, _)| name.clone()).collect()
    }
}

/// Looks for the dead and frees their leases, until it is aborted. A living session comes back within a wait and
/// `connect_wait`; a living process that cannot come back has looked for itself by then.
pub(crate) async fn watch(
    pool: Pool,
    presence: Presence,
    signals: Signals,
    (connect_wait, patience): (Duration, Duration),
) {
    let certainty = (RECONNECT_WAIT * 2 + connect_wait).max(INTERVAL * 2);
    let mut absences = Absences::default();
    loop {
        match look(&pool, &presence, &mut absences, (certainty, patience)).await {
            Ok(0) => {}
            Ok(leases) => {
                tracing::info!(
                    component = "store",
                    action = "free",
                    leases,
                    "leases of dead workers are free"
                );
                signals.announce(Topic::Jobs);
            }
            Err(error) => {
                // Others may have been as unlucky: their absence says nothing.
                absences = Absences::default();
                tracing::warn!(component = "store", action = "free", %error, "leases of the dead must run out");
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn look(
    pool: &Pool,
    presence: &Presence,
    absences: &mut Absences,
    (certainty, patience): (Duration, Duration),
) -> Result<u64, StoreError> {
    let client = pool.get().await.map_err(of_pool)?;
    let freed = tokio::time::timeout(patience, free_the_dead(&client, presence, absences, certainty)).await;
    in_time(client, freed)
}

async fn free_the_dead(
    client: &ClientWrapper,
    presence: &Presence,
    absences: &mut Absences,
    certainty: Duration,
) -> Result<u64, StoreError> {
    let known = presence.known();
    let (own, others): (Vec<_>, Vec<_>) =
        missing(client, &known).await?.into_iter().partition(|name| known.contains(name));
    if !own.is_empty() {
        presence.missed(&own);
        withdraw(client, own.clone()).await?;
    }
    let held: Vec<_> = known.into_iter().filter(|name| !own.contains(name)).collect();
    if !held.is_empty() {
        mark(client, held).await?;
    }
    let dead = absences.note(others, Instant::now(), certainty);
    if dead.is_empty() { Ok(0) } else { free(client, dead).await }
}

/// Workers without a lock: those of other processes that hold marked leases, and `own`.
async fn missing(client: &ClientWrapper, own: &[String]) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT name FROM (
             SELECT lease_worker AS name FROM heddle.job
             WHERE lease_until IS NOT NULL AND starts_with(lease_worker, $1)
             UNION SELECT unnest($2::text[])
         ) AS worker
         WHERE NOT EXISTS (
             SELECT FROM pg_locks
             JOIN pg_database ON pg_database.oid = pg_locks.database AND datname = current_database()
             WHERE locktype = 'advisory' AND granted AND classid = 8 AND objsubid = 2
               AND objid::bigint = hashtext(name)::bigint & 4294967295
         )";
    let call = Call::new(sql, values![MARK, own.to_vec()]);
    let rows = read(client, session::READ_AS_WORKER, Vec::new(), call).await?;
    let workers: Result<_, Error> = rows.iter().map(|row| row.try_get(0)).collect();
    workers.map_err(|e| of_statement(&e))
}

/// Takes the mark off the leases of `workers`: nobody may judge them any more.
async fn withdraw(client: &ClientWrapper, workers: Vec<String>) -> Result<(), StoreError> {
    let sql = "UPDATE heddle.job SET lease_worker = substr(lease_worker, length($1) + 1)
         WHERE lease_until IS NOT NULL AND lease_worker = ANY ($2)";
    let call = Call::new(sql, values![MARK, workers]);
    read(client, session::LEASE_AS_WORKER, Vec::new(), call).await.map(drop)
}

/// Puts the mark on leases that were taken, or kept, while the lock was not held: it is now, so that they are freed like
/// any other should this process die.
async fn mark(client: &ClientWrapper, workers: Vec<String>) -> Result<(), StoreError> {
    let sql = "UPDATE heddle.job SET lease_worker = $1 || lease_worker
         WHERE lease_until IS NOT NULL AND $1 || lease_worker = ANY ($2)";
    let call = Call::new(sql, values![MARK, workers]);
    read(client, session::LEASE_AS_WORKER, Vec::new(), call).await.map(drop)
}

async fn free(client: &ClientWrapper, workers: Vec<String>) -> Result<u64, StoreError> {
    let sql = "WITH freed AS (
             UPDATE heddle.job SET lease_worker = NULL, lease_token = NULL, lease_until = NULL
             WHERE lease_until IS NOT NULL AND lease_worker = ANY ($1)
             RETURNING 1
         ) SELECT count(*) FROM freed";
    count_of(&read(client, session::LEASE_AS_WORKER, Vec::new(), Call::new(sql, values![workers])).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_missing_in_every_look_is_dead() {
        let (begun, second) = (Instant::now(), Duration::from_secs(1));
        let mut absences = Absences::default();
        let mut note = |names: &[&str], seconds: u32| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            absences.note(names, begun + second * seconds, second * 6)
        };
        assert!(note(&["dead", "back"], 0).is_empty());
        assert!(note(&["dead"], 2).is_empty());
        assert!(note(&["dead", "back"], 4).is_empty());
        assert_eq!(note(&["dead", "back"], 6), ["dead"], "the other was there in between");
    }

    #[tokio::test]
    async fn a_worker_without_its_lock_takes_leases_that_nobody_judges() {
        let presence = Presence::default();
        let worker = WorkerId::parse("w").expect("legal");
        assert_eq!(presence.enlist(&worker).await.as_str(), "w");
        presence.wanted().await;
        presence.workers.send_modify(|workers| workers.shown = workers.known.clone());
        assert_eq!(presence.enlist(&worker).await.as_str(), "present:w");
        presence.interrupted();
        assert_eq!(presence.enlist(&worker).await.as_str(), "w");
    }
}
