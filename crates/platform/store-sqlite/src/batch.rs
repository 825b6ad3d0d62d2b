//! Applies a batch, write by write.

use heddle_store::{Batch, Receipt, StoreError, Write};
use heddle_tenancy::Access;
use rusqlite::Connection;

use crate::writer::Moved;

mod aggregates;
mod dead;
mod jobs;
mod properties;
mod records;

/// Whose rows a batch writes, and what they are stamped with.
struct Stamp<'a> {
    owner: String,
    peer: Option<&'a str>,
    actor: &'a str,
    now: i64,
    trace: Option<String>,
}

/// Applies all writes, or fails at the first that misses; the caller undoes what was written before it.
pub(crate) fn apply(
    connection: &Connection,
    access: &Access,
    batch: Batch,
) -> Result<(Receipt, Moved), StoreError> {
    let stamp = Stamp {
        owner: access.owner().to_string(),
        peer: access.counter_party().map(heddle_ids::ParticipantId::as_str),
        actor: &access.actor().subject,
        now: batch.now.as_millis(),
        trace: batch.trace.map(|trace| trace.to_string()),
    };
    let (mut receipt, mut moved) = (Receipt::default(), Moved::default());
    for write in batch.writes {
        moved = moved.and(apply_one(connection, &stamp, access, write, &mut receipt)?);
    }
    Ok((receipt, moved))
}

fn apply_one(
    connection: &Connection,
    stamp: &Stamp<'_>,
    access: &Access,
    write: Write,
    receipt: &mut Receipt,
) -> Result<Moved, StoreError> {
    let jobs = |jobs| Moved { jobs, ..Moved::default() };
    match write {
        Write::Put { kind, id, expected, columns, properties, document } => {
            let put = aggregates::Put { kind, id, columns, properties, document };
            aggregates::put(connection, stamp, &put, expected)?;
        }
        Write::Delete { kind, id, version } => aggregates::delete(connection, stamp, kind, &id, version)?,
        Write::Check { kind, id, expected } => aggregates::check(connection, stamp, kind, &id, expected)?,
        Write::Enqueue { id, job, lease_for } => {
            let claimed = jobs::enqueue(connection, stamp, access.owner(), (id, job), lease_for)?;
            let waits = claimed.is_none();
            receipt.claimed.extend(claimed);
            return Ok(jobs(waits));
        }
        Write::Complete(lease) => return jobs::complete(connection, stamp, &lease).map(jobs),
        Write::Reschedule { lease, due_at, error } => {
            jobs::reschedule(connection, stamp, &lease, due_at, &error)?;
            return Ok(jobs(true));
        }
        Write::Bury { lease, error } => return jobs::bury(connection, stamp, &lease, &error).map(jobs),
        Write::Replay { job } => {
            dead::replay(connection, stamp, &job)?;
            return Ok(jobs(true));
        }
        Write::Discard { job } => dead::discard(connection, stamp, &job)?,
        Write::CancelJobs { order_key } => jobs::cancel(connection, stamp, &order_key)?,
        Write::Emit(event) => {
            records::emit(connection, stamp, &event)?;
            return Ok(Moved { events: true, ..Moved::default() });
        }
        Write::Audit(entry) => {
            records::audit(connection, stamp, &entry)?;
            return Ok(Moved { audit: true, ..Moved::default() });
        }
        Write::Once(nonce) => records::once(connection, stamp, &nonce)?,
        Write::Publish(row) => records::publish(connection, stamp, &row)?,
        Write::Withdraw { kind, key } => records::withdraw(connection, stamp, kind, &key)?,
    }
    Ok(Moved::default())
}
