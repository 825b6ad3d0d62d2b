//! The audit log of a server: sealed while it runs, shown to those who may read it.
//!
//! Whenever entries were written they are sealed, at most once in [`PACE`]; several processes may do so at once. After
//! each time the end of the chain is written into a file of the data directory, which is not in the database and so
//! cannot be changed together with it, and now and then into the log, which usually goes elsewhere.

mod checkpoint;
mod endpoints;

use std::{path::PathBuf, time::Duration};

use heddle_clock::Timestamp;
use heddle_store::{
    Store, StoreError,
    audit::{AuditBreak, AuditHead, AuditQuery},
};
use heddle_telemetry::logs::category;
use heddle_web::Shutdown;
use tokio::time::{MissedTickBehavior, timeout};

pub use checkpoint::Checkpoint;
pub use endpoints::routes;

/// Entries wait no longer than this to be sealed, and no commit of their own for each of them.
const PACE: Duration = Duration::from_secs(1);
/// Looks at least this often for entries of a process that died before it had sealed them.
const SAFETY_NET: Duration = Duration::from_secs(15);
/// Entries that are sealed in one commit.
const BATCH: u32 = 500;
/// The end of the chain is told to the log no more often than this.
const TOLD_EVERY: Duration = Duration::from_secs(60);
/// How long the last sealing may hold up a server that stops.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// What is known of the log against its checkpoint. It is replaced only when they agree: else it is evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// They could not be compared yet.
    Unchecked,
    Agrees,
    /// The log is not the one that the checkpoint was taken of.
    Contradicts,
}

/// Seals what was written.
pub struct Sealer {
    store: Store,
    checkpoint: Checkpoint,
    standing: Standing,
    told: Option<Timestamp>,
}

impl Sealer {
    /// With the file that holds the end of the chain. A log that contradicts it is told at once.
    pub async fn begin(store: Store, file: PathBuf) -> Self {
        let (checkpoint, standing) = (Checkpoint::at(file), Standing::Unchecked);
        let mut sealer = Self { store, checkpoint, standing, told: None };
        if let Err(reason) = sealer.check().await {
            tracing::warn!(
                component = "audit",
                action = "check",
                reason,
                "the audit log could not be held against its checkpoint, which stays until it can be"
            );
        }
        sealer
    }

    async fn check(&mut self) -> Result<(), String> {
        match self.contradiction().await? {
            None => self.standing = Standing::Agrees,
            Some(found) => {
                self.standing = Standing::Contradicts;
                tracing::error!(
                    category = category::AUDIT,
                    component = "audit",
                    action = "audit.broken",
                    reason = %found,
                    checkpoint = %self.checkpoint.path().display(),
                    "the audit log is not the one that this server has sealed; 'heddle audit verify' tells more"
                );
            }
        }
        Ok(())
    }

    async fn contradiction(&self) -> Result<Option<AuditBreak>, String> {
        let Some(checkpoint) = self.checkpoint.read()? else { return Ok(None) };
        let Some(before) = checkpoint.place.checked_sub(1) else { return Ok(None) };
        let log = self.store.database().audit_log();
        let found = log.audit_entries(AuditQuery { owner: None, after: before, limit: 1 }).await;
        let found = found.map_err(|error| error.to_string())?;
        let found = found.into_iter().find(|entry| entry.place == checkpoint.place).map(|entry| entry.hash);
        let holds = found.as_ref() == Some(&checkpoint.hash);
        Ok((!holds).then_some(AuditBreak::Checkpoint { checkpoint, found }))
    }

    /// Seals whenever there is something, until it is time to stop; then gives itself back for what is written after.
    pub async fn run(mut self, shutdown: Shutdown) -> Self {
        let mut written = self.store.signals().audit();
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.clone().requested() => return self,
                _ = pace.tick() => {}
            }
            written.mark_unchanged();
            self.seal().await;
            tokio::select! {
                () = shutdown.clone().requested() => return self,
                // A wait that ends by time is the safety net.
                _ = timeout(SAFETY_NET, written.changed()) => {}
            }
        }
    }

    /// Seals what was written last by a server that stops.
    pub async fn finish(mut self) {
        if timeout(LAST_WAIT, self.seal()).await.is_err() {
            tracing::warn!(
                component = "audit",
                action = "seal",
                "the last entries are sealed by the next start"
            );
        }
    }

    async fn seal(&mut self) {
        if self.standing == Standing::Unchecked
            && let Err(reason) = self.check().await
        {
            tracing::debug!(
                component = "audit",
                action = "check",
                reason,
                "the checkpoint waits to be compared"
            );
        }
        match self.seal_all().await {
            Ok(None) => {}
            Ok(Some(head)) => self.keep(&head),
            Err(error) => tracing::warn!(
                component = "audit",
                action = "seal",
                %error,
                "entries of the audit log wait to be sealed; the next attempt follows by itself"
            ),
        }
    }

    async fn seal_all(&self) -> Result<Option<AuditHead>, StoreError> {
        let mut last = None;
        while let Some(head) = self.store.database().seal_audit(BATCH).await? {
            last = Some(head);
        }
        Ok(last)
    }

    fn keep(&mut self, head: &AuditHead) {
        if self.standing != Standing::Agrees {
            return;
        }
        if let Err(reason) = self.checkpoint.write(head) {
            tracing::warn!(
                component = "audit",
                action = "checkpoint",
                reason,
                "the end of the audit log was not written down"
            );
        }
        let now = self.store.environment().now();
        if self.told.is_none_or(|told| now.since(told) >= TOLD_EVERY || now < told) {
            self.told = Some(now);
            tracing::info!(
                category = category::AUDIT,
                component = "audit",
                action = "audit.sealed",
                %head,
                "the audit log is sealed up to here; 'heddle audit verify --checkpoint' holds it against this"
            );
        }
    }
}
