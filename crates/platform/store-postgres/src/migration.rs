//! The schema, step by step, under a lock that all processes share.

use deadpool_postgres::ClientWrapper;
use heddle_clock::Timestamp;
use heddle_store::StoreError;
use tokio_postgres::{Error, error::SqlState};

use crate::error::{of_statement, text};

/// A step of the schema.
struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
    /// The oldest schema number whose release can still work with a database that has this step.
    readable_from: i64,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "tables",
        sql: include_str!("../migrations/0001_tables.sql"),
        readable_from: 1,
    },
    Migration {
        number: 2,
        name: "row_security",
        sql: include_str!("../migrations/0002_row_security.sql"),
        readable_from: 1,
    },
    Migration {
        number: 3,
        name: "functions",
        sql: include_str!("../migrations/0003_functions.sql"),
        readable_from: 1,
    },
    Migration {
        number: 4,
        name: "claim",
        sql: include_str!("../migrations/0004_claim.sql"),
        readable_from: 4,
    },
    Migration {
        number: 5,
        name: "expiry",
        sql: include_str!("../migrations/0005_expiry.sql"),
        readable_from: 4,
    },
    Migration {
        number: 7,
        name: "fairness",
        sql: include_str!("../migrations/0007_fairness.sql"),
        readable_from: 4,
    },
];

const ROLES: &str = include_str!("../migrations/roles.sql");
/// Attempts at the roles: they are the cluster's, and another database of it may be creating them as well.
const ROLE_ATTEMPTS_MAX: u32 = 20;
const SERVER_VERSION_MIN: i32 = 150_000;

/// Brings the schema up to what this release knows. The connection must be discarded after an error.
pub(crate) async fn run(client: &ClientWrapper, now: Timestamp) -> Result<(), StoreError> {
    check_version(client).await?;
    create_roles(client).await?;
    let begin = "BEGIN; SELECT pg_advisory_xact_lock(7, 1);
         CREATE SCHEMA IF NOT EXISTS heddle;
         CREATE TABLE IF NOT EXISTS heddle.migration (
             number bigint PRIMARY KEY, name text NOT NULL, readable_from bigint NOT NULL, applied_at bigint NOT NULL
         )";
    execute(client, begin).await?;
    let sql = "SELECT number, readable_from FROM heddle.migration ORDER BY number DESC LIMIT 1";
    let newest = client.query_opt(sql, &[]).await.map_err(|e| of_statement(&e))?;
    let (applied, readable_from): (i64, i64) = newest.map_or((0, 0), |row| (row.get(0), row.get(1)));
    let known = MIGRATIONS.last().map_or(0, |m| m.number);
    if readable_from > known {
        return Err(StoreError::Unusable {
            reason: format!(
                "the database has schema {applied}, which needs a release that knows schema {readable_from} or a \
                 later one; this release knows schema {known}: install the newer release"
            ),
        });
    }
    for migration in MIGRATIONS.iter().filter(|m| m.number > applied) {
        execute(client, migration.sql).await?;
        let row = "INSERT INTO heddle.migration VALUES ($1, $2, $3, $4)";
        let Migration { number, name, readable_from, .. } = migration;
        let at = now.as_millis();
        client.execute(row, &[number, name, readable_from, &at]).await.map_err(|e| of_statement(&e))?;
        tracing::info!(component = "store", action = "migrate", number, name);
    }
    execute(client, "COMMIT").await?;
    check_roles(client).await
}

async fn execute(client: &ClientWrapper, sql: &str) -> Result<(), StoreError> {
    client.batch_execute(sql).await.map_err(|e| of_statement(&e))
}

async fn check_version(client: &ClientWrapper) -> Result<(), StoreError> {
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('server_version'),
                      current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'";
    let row = client.query_one(sql, &[]).await.map_err(|e| of_statement(&e))?;
    let (number, version, durable): (i32, String, bool) = (row.get(0), row.get(1), row.get(2));
    if number < SERVER_VERSION_MIN {
        let reason = format!("PostgreSQL {version} is too old: version 15 or later is needed");
        return Err(StoreError::Unusable { reason });
    }
    if !durable {
        tracing::warn!(
            component = "store",
            action = "connect",
            "the server runs with fsync or full_page_writes off: what it acknowledges may be lost in a crash"
        );
    }
    Ok(())
}

async fn create_roles(client: &ClientWrapper) -> Result<(), StoreError> {
    let mut attempt = 1;
    loop {
        match client.batch_execute(ROLES).await {
            Ok(()) => return Ok(()),
            Err(error) if attempt < ROLE_ATTEMPTS_MAX && is_race(&error) => attempt += 1,
            Err(error) => {
                return Err(StoreError::Unusable {
                    reason: format!(
                        "the roles that the store works under are not there and cannot be created ({}): let the login \
                         role create roles (ALTER ROLE … CREATEROLE), or run the store's roles.sql once as an \
                         administrator and grant the roles to the login role",
                        text(&error)
                    ),
                });
            }
        }
    }
}

/// Two sessions that create or grant the same role at the same moment.
fn is_race(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(&SqlState::DUPLICATE_OBJECT | &SqlState::UNIQUE_VIOLATION | &SqlState::INTERNAL_ERROR)
    )
}

/// The roles are what isolation rests on: the login role must be able to become them, and they must not bypass it.
async fn check_roles(client: &ClientWrapper) -> Result<(), StoreError> {
    let sql =
        "SELECT count(*) FILTER (WHERE NOT rolsuper AND NOT rolbypassrls AND pg_has_role(oid, 'MEMBER'))
               FROM pg_roles
               WHERE rolname IN ('heddle_app', 'heddle_worker', 'heddle_directory', 'heddle_management',
                                 'heddle_sweeper')";
    let row = client.query_one(sql, &[]).await.map_err(|e| of_statement(&e))?;
    if row.get::<_, i64>(0) == 5 {
        return Ok(());
    }
    Err(StoreError::Unusable {
        reason: "the roles heddle_app, heddle_worker, heddle_directory, heddle_management and heddle_sweeper must be \
                 granted to the login role, and must be neither superusers nor bypass row-level security"
            .to_owned(),
    })
}
