//! One statement for each write.

use heddle_clock::Timestamp;
use heddle_store::{Batch, Columns, DirectLease, ExpectedVersion, NewJob, Write, filter::Property};
use heddle_tenancy::Access;

use super::misses::version;
use crate::pipeline::{Call, Value, values};

/// Locks the order keys that the batch touches.
pub(super) fn order_keys(batch: &Batch) -> Call {
    let (mut keys, mut jobs) = (Vec::new(), Vec::new());
    for write in &batch.writes {
        match write {
            Write::Enqueue { job, .. } => keys.push(job.order_key.clone()),
            Write::CancelJobs { order_key } => keys.push(order_key.clone()),
            Write::Complete(lease) | Write::Reschedule { lease, .. } | Write::Bury { lease, .. } => {
                jobs.push(lease.job.to_string());
            }
            Write::Replay { job } => jobs.push(job.to_string()),
            _ => {}
        }
    }
    Call::new("SELECT heddle.lock_order_keys($1, $2)", values![keys, jobs])
}

/// The statement of a write.
pub(super) fn of(write: &Write, access: &Access, batch: &Batch) -> Call {
    let (owner, now) = (access.owner().to_string(), batch.now.as_millis());
    let trace = batch.trace.map(|trace| trace.to_string());
    match write {
        Write::Put { kind, id, expected, columns, properties, document } => {
            let properties = properties.as_deref();
            put(owner, (*kind, id.clone()), version(*expected), (columns, properties), document.clone(), now)
        }
        Write::Delete { kind, id, version: read } => {
            let read = version(ExpectedVersion::Exactly(*read));
            Call::new("SELECT heddle.remove($1, $2, $3)", values![*kind, id.clone(), read])
        }
        Write::Check { kind, id, expected } => {
            let values = values![*kind, id.clone(), version(*expected)];
            Call::new("SELECT heddle.check_version($1, $2, $3)", values)
        }
        Write::Enqueue { id, job, lease_for } => enqueue(id.to_string(), job, lease_for.as_ref(), now, trace),
        Write::Complete(lease) => {
            let values = values![lease.job.to_string(), lease.token.clone(), now];
            Call::new("SELECT heddle.complete($1, $2, $3)", values)
        }
        Write::Reschedule { lease, due_at, error } => {
            let (job, token) = (lease.job.to_string(), lease.token.clone());
            let values = values![job, token, due_at.as_millis(), error.clone()];
            Call::new("SELECT heddle.reschedule($1, $2, $3, $4)", values)
        }
        Write::Bury { lease, error } => {
            let values = values![lease.job.to_string(), lease.token.clone(), error.clone(), now];
            Call::new("SELECT heddle.bury($1, $2, $3, $4)", values)
        }
        Write::Replay { job } => Call::new("SELECT heddle.replay($1, $2)", values![job.to_string(), now]),
        Write::Discard { job } => Call::new("SELECT heddle.discard($1)", values![job.to_string()]),
        Write::CancelJobs { order_key } => {
            let sql = "DELETE FROM heddle.job
                 WHERE owner = $1 AND order_key = $2 AND (lease_until IS NULL OR lease_until <= $3)";
            Call::new(sql, values![owner, order_key.clone(), now])
        }
        Write::Emit(event) => {
            let sql = "INSERT INTO heddle.event (owner, kind, subject, payload, at, trace)
                 VALUES ($1, $2, $3, $4, $5, $6)";
            let (kind, subject, payload) = (event.kind.clone(), event.subject.clone(), event.payload.clone());
            Call::new(sql, values![owner, kind, subject, payload, now, trace])
        }
        Write::Audit(entry) => {
            let sql = "INSERT INTO heddle.audit (owner, actor, action, subject, reason, at, trace)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)";
            let (action, subject, reason) =
                (entry.action.clone(), entry.subject.clone(), entry.reason.clone());
            let actor = access.actor().subject.clone();
            Call::new(sql, values![owner, actor, action, subject, reason, now, trace])
        }
        Write::Once(nonce) => {
            let sql = "INSERT INTO heddle.nonce (owner, value, expires_at) VALUES ($1, $2, $3)";
            Call::new(sql, values![owner, nonce.value.clone(), nonce.expires_at.as_millis()])
        }
        Write::Publish(row) => {
            let sql = "INSERT INTO heddle.directory (kind, key, owner, value) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value";
            Call::new(sql, values![row.kind, row.key.clone(), owner, row.value.clone()])
        }
        Write::Withdraw { kind, key } => {
            let sql = "DELETE FROM heddle.directory WHERE kind = $1 AND key = $2 AND owner = $3";
            Call::new(sql, values![*kind, key.clone(), owner])
        }
    }
}

fn put(
    owner: String,
    (kind, id): (&'static str, String),
    read: Option<i64>,
    (columns, properties): (&Columns, Option<&[Property]>),
    document: String,
    now: i64,
) -> Call {
    let state = columns.state.as_ref().map(ToString::to_string);
    let (counter_party, correlation) = (columns.counter_party.clone(), columns.correlation.clone());
    let (reference, unique_key) = (columns.reference.clone(), columns.unique_key.clone());
    let due_at = columns.due_at.map(Timestamp::as_millis);
    let rest = values![document, state, counter_party, correlation, reference, unique_key, due_at, now];
    match (read, properties) {
        (None, None) => {
            let sql =
                "INSERT INTO heddle.aggregate (owner, kind, id, version, document, state, counter_party,
                     correlation, reference, unique_key, due_at, created_at, updated_at, unindexed)
                 VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11, $11, 0)";
            Call::new(sql, joined([values![owner, kind, id], rest]))
        }
        (None, properties) => {
            let sql =
                "SELECT heddle.insert_with_properties($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                     $14, $15, $16)";
            Call::new(sql, joined([values![kind, id], rest, arrays(properties)]))
        }
        (Some(read), properties) => {
            let sql =
                "SELECT heddle.save_with_properties($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                     $14, $15, $16, $17)";
            Call::new(sql, joined([values![kind, id, read], rest, arrays(properties)]))
        }
    }
}

fn joined<const N: usize>(parts: [Vec<Value>; N]) -> Vec<Value> {
    parts.into_iter().flatten().collect()
}

/// One array for each column of the properties.
fn arrays(properties: Option<&[Property]>) -> Vec<Value> {
    let texts = |of: &dyn Fn(&Property) -> Option<String>| -> Option<Vec<Option<String>>> {
        properties.map(|rows| rows.iter().map(of).collect())
    };
    let items: Option<Vec<i32>> =
        properties.map(|rows| rows.iter().map(|row| i32::try_from(row.item).unwrap_or(i32::MAX)).collect());
    let numbers: Option<Vec<Option<f64>>> =
        properties.map(|rows| rows.iter().map(|row| row.value.number()).collect());
    values![
        texts(&|row| Some(row.path.clone())),
        items,
        texts(&|row| Some(row.value.key().to_owned())),
        texts(&|row| row.value.whole().map(str::to_owned)),
        texts(&|row| row.value.folded()),
        numbers
    ]
}

fn enqueue(id: String, job: &NewJob, lease: Option<&DirectLease>, now: i64, trace: Option<String>) -> Call {
    let sql = "SELECT heddle.enqueue($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let due_at = job.due_at.map_or(now, Timestamp::as_millis);
    let (kind, order_key, payload) = (job.kind.clone(), job.order_key.clone(), job.payload.clone());
    let (worker, token) = (lease.map(|l| l.worker.to_string()), lease.map(|l| l.token.clone()));
    let until = lease.map(|lease| lease.until.as_millis());
    let per_owner_max = lease.map_or(0, |lease| i64::from(lease.per_owner_max));
    let per_host_max = lease.map_or(0, |lease| i64::from(lease.per_host_max));
    let values = values![
        id,
        kind,
        order_key,
        payload,
        job.host.clone(),
        due_at,
        now,
        trace,
        worker,
        token,
        until,
        per_owner_max,
        per_host_max
    ];
    Call::new(sql, values)
}
