//! The schema, step by step.

use heddle_clock::Timestamp;
use heddle_store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::of_statement;

/// A step of the schema.
struct Migration {
    number: u32,
    name: &'static str,
    sql: &'static str,
    /// The oldest schema number whose release can still work with a database that has this step.
    readable_from: u32,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "initial",
        sql: include_str!("../migrations/0001_initial.sql"),
        readable_from: 1,
    },
    Migration {
        number: 2,
        name: "expiry",
        sql: include_str!("../migrations/0002_expiry.sql"),
        readable_from: 1,
    },
    Migration {
        number: 3,
        name: "properties",
        sql: include_str!("../migrations/0003_properties.sql"),
        readable_from: 1,
    },
    Migration {
        number: 4,
        name: "fairness",
        sql: include_str!("../migrations/0004_fairness.sql"),
        readable_from: 1,
    },
    Migration {
        number: 5,
        name: "audit_chain",
        sql: include_str!("../migrations/0005_audit_chain.sql"),
        readable_from: 1,
    },
    Migration {
        number: 6,
        name: "faster_lists",
        sql: include_str!("../migrations/0006_faster_lists.sql"),
        readable_from: 1,
    },
];

/// The newest step that this release knows.
pub(crate) fn known() -> u32 {
    MIGRATIONS.last().map_or(0, |m| m.number)
}

/// Brings the schema up to what this release knows, in one transaction.
pub(crate) fn run(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(of_statement)?;
    let table = "CREATE TABLE IF NOT EXISTS migration (
         number INTEGER PRIMARY KEY, name TEXT NOT NULL, readable_from INTEGER NOT NULL, applied_at INTEGER NOT NULL
     ) STRICT";
    transaction.execute_batch(table).map_err(of_statement)?;
    let known = known();
    let (applied, readable_from) = newest(&transaction)?;
    if readable_from > known {
        return Err(StoreError::Unusable {
            reason: format!(
                "the database has schema {applied}, which needs a release that knows schema {readable_from} or a \
                 later one; this release knows schema {known}: install the newer release, or restore a backup from \
                 before the upgrade"
            ),
        });
    }
    for migration in MIGRATIONS.iter().filter(|m| m.number > applied) {
        transaction.execute_batch(migration.sql).map_err(of_statement)?;
        let row = "INSERT INTO migration (number, name, readable_from, applied_at) VALUES (?, ?, ?, ?)";
        let values = params![migration.number, migration.name, migration.readable_from, now.as_millis()];
        transaction.execute(row, values).map_err(of_statement)?;
        tracing::info!(
            component = "store",
            action = "migrate",
            number = migration.number,
            name = migration.name
        );
    }
    transaction.commit().map_err(of_statement)
}

pub(crate) fn newest(connection: &Connection) -> Result<(u32, u32), StoreError> {
    connection
        .query_row("SELECT number, readable_from FROM migration ORDER BY number DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map(Option::unwrap_or_default)
        .map_err(of_statement)
}
