//! What is told of reads and commits: spans, numbers, times; and a line of the log for each entry of the audit log.

use std::time::Instant;

use heddle_telemetry::{logs::category, spans};
use heddle_tenancy::{Access, Owner};
use tracing::Instrument;

use crate::{AuditEntry, Batch, Database, Receipt, StoreError, Write};

/// Reads rows of `kind`.
pub(crate) async fn read<T>(
    system: &'static str,
    (operation, kind): (&'static str, &'static str),
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let begun = Instant::now();
    let found = work.instrument(spans::read(system, operation, kind)).await;
    let seconds = begun.elapsed().as_secs_f64();
    metrics::histogram!("heddle_store_read_seconds", "operation" => operation).record(seconds);
    found
}

/// Commits a batch.
pub(crate) async fn commit(
    database: &dyn Database,
    access: Access,
    batch: Batch,
) -> Result<Receipt, StoreError> {
    let audited = Audited::of(&access, &batch);
    let span = spans::commit(database.system(), batch.writes.len());
    let begun = Instant::now();
    let committed = database.commit(access, batch).instrument(span.clone()).await;
    metrics::histogram!("heddle_store_commit_seconds").record(begun.elapsed().as_secs_f64());
    let outcome = match &committed {
        Ok(_) => "committed",
        Err(error) => {
            let what = failure(error);
            span.record("otel.status_code", "ERROR");
            span.record("error.type", what);
            what
        }
    };
    metrics::counter!("heddle_store_commits_total", "outcome" => outcome).increment(1);
    if let (Ok(_), Some(audited)) = (&committed, audited) {
        audited.tell();
    }
    committed
}

fn failure(error: &StoreError) -> &'static str {
    match error {
        StoreError::Stale { .. } => "stale",
        StoreError::Duplicate { .. } => "duplicate",
        StoreError::LeaseLost { .. } => "lease-lost",
        StoreError::Unreadable { .. } => "unreadable",
        StoreError::TooBroad { .. } => "too-broad",
        StoreError::Unavailable { .. } => "unavailable",
        StoreError::Full { .. } => "full",
        StoreError::Damaged { .. } => "damaged",
        StoreError::Unusable { .. } => "unusable",
    }
}

/// Who did what, for the log.
struct Audited {
    owner: Owner,
    actor: String,
    entries: Vec<AuditEntry>,
}

impl Audited {
    fn of(access: &Access, batch: &Batch) -> Option<Self> {
        let entries: Vec<AuditEntry> = batch
            .writes
            .iter()
            .filter_map(|write| match write {
                Write::Audit(entry) => Some(entry.clone()),
                _ => None,
            })
            .collect();
        let (owner, actor) = (access.owner().clone(), access.actor().subject.clone());
        (!entries.is_empty()).then_some(Self { owner, actor, entries })
    }

    fn tell(self) {
        let (tenant, participant) = match &self.owner {
            Owner::Installation => (None, None),
            Owner::Tenant(id) => (Some(id.as_str()), None),
            Owner::Participant(id) => (None, Some(id.as_str())),
        };
        for AuditEntry { action, subject, reason } in &self.entries {
            tracing::info!(
                category = category::AUDIT,
                component = "store",
                action = format!("audit.{action}"),
                actor = self.actor,
                subject,
                reason,
                tenant_id = tenant,
                participant_context_id = participant,
                "an entry was written into the audit log"
            );
        }
    }
}
