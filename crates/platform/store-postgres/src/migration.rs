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
        number: 6,
        name: "properties",
        sql: include_str!("../migrations/0006_properties.sql"),
        readable_from: 4,
    },
    Migration {
        number: 7,
        name: "fairness",
        sql: include_str!("../migrations/0007_fairness.sql"),
        readable_from: 4,
    },
    Migration {
        number: 8,
        name: "audit_chain",
        sql: include_str!("../migrations/0008_audit_chain.sql"),
        readable_from: 4,
    },
    Migration {
        number: 9,
        name: "faster_lists",
        sql: include_str!("../migrations/0009_faster_lists.sql"),
        readable_from: 4,
    },
];

const ROLES: &str = include_str!("../migrations/roles.sql");
/// Attempts at the roles: they are the cluster's, and another database of it may be creating them as well.
const ROLE_ATTEMPTS_MAX: u32 = 20;
pub(crate) const SERVER_VERSION_MIN: i32 = 150_000;

/// The newest step that this release knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |m| m.number)
}

/// The newest step that a database has.
pub(crate) struct Applied {
    number: i64,
    readable_from: i64,
}

impl Applied {
    /// Its number; 0 before the first.
    pub(crate) fn number(&self) -> i64 {
        self.number
    }

    /// Why a release that knows the steps up to `known` must not work with the database.
    pub(crate) fn refusal(&self, known: i64) -> Option<String> {
        let Self { number, readable_from } = self;
        (*readable_from > known).then(|| {
            format!(
                "the database has schema {number}, which needs a release that knows schema {readable_from} or a \
                 later one; this release knows schema {known}: install the newer release"
            )
        })
    }
}

pub(crate) async fn applied(client: &ClientWrapper) -> Result<Applied, StoreError> {
    let sql = "SELECT number, readable_from FROM heddle.migration ORDER BY number DESC LIMIT 1";
    let newest = client.query_opt(sql, &[]).await.map_err(|e| of_statement(&e))?;
    let (number, readable_from) = newest.map_or((0, 0), |row| (row.get(0), row.get(1)));
    Ok(Applied { number, readable_from })
}

/// One process at a time; the others say that they wait.
async fn lock(client: &ClientWrapper) -> Result<(), StoreError> {
    let sql = "SELECT pg_try_advisory_xact_lock(7, 1)";
    let row = client.query_one(sql, &[]).await.map_err(|e| of_statement(&e))?;
    if row.get(0) {
        return Ok(());
    }
    tracing::info!(
        component = "store",
        action = "migrate",
        "another process has the schema in hand; waiting for it"
    );
    execute(client, "SELECT pg_advisory_xact_lock(7, 1)").await
}

/// Brings the schema up to the step `known`. The connection must be discarded after an error.
pub(crate) async fn run(
    client: &ClientWrapper,
    now: Timestamp,
    (known, fsync_required): (i64, bool),
) -> Result<(), StoreError> {
    check_version(client, fsync_required).await?;
    create_roles(client).await?;
    // A step over many rows takes as long as it takes, and so does the wait for another process that does it.
    execute(client, "BEGIN; SET LOCAL statement_timeout = 0").await?;
    lock(client).await?;
    let table = "CREATE SCHEMA IF NOT EXISTS heddle;
         CREATE TABLE IF NOT EXISTS heddle.migration (
             number bigint PRIMARY KEY, name text NOT NULL, readable_from bigint NOT NULL, applied_at bigint NOT NULL
         )";
    execute(client, table).await?;
    let applied = applied(client).await?;
    if let Some(reason) = applied.refusal(known) {
        return Err(StoreError::Unusable { reason });
    }
    let pending = || MIGRATIONS.iter().filter(|m| m.number > applied.number && m.number <= known);
    if applied.number > 0 && pending().next().is_some() {
        // In the order in which commits take them: a step that took one behind another would wait for a commit that
        // waits for the step.
        let tables = "heddle.job, heddle.aggregate, heddle.event, heddle.audit";
        execute(client, &format!("LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")).await?;
    }
    for migration in pending() {
        execute(client, migration.sql).await?;
        execute(client, "NOTIFY heddle, 'schema'").await?;
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

async fn check_version(client: &ClientWrapper, fsync_required: bool) -> Result<(), StoreError> {
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('server_version'),
                      current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on'";
    let row = client.query_one(sql, &[]).await.map_err(|e| of_statement(&e))?;
    let (number, version): (i32, String) = (row.get(0), row.get(1));
    let (fsync, whole_pages): (bool, bool) = (row.get(2), row.get(3));
    if number < SERVER_VERSION_MIN {
        let reason = format!("PostgreSQL {version} is too old: version 15 or later is needed");
        return Err(StoreError::Unusable { reason });
    }
    if !fsync && fsync_required {
        let reason = "PostgreSQL runs with fsync off: what it acknowledges is lost when its machine loses power; set \
                      fsync = on in postgresql.conf and reload it";
        return Err(StoreError::Unusable { reason: reason.to_owned() });
    }
    if !fsync {
        tracing::warn!(
            component = "store",
            action = "connect",
            "PostgreSQL runs with fsync off: what it acknowledges is lost when its machine loses power; in production \
             this server would not start"
        );
    }
    if !whole_pages {
        // A file system that never writes half a page (ZFS) does without.
        tracing::warn!(
            component = "store",
            action = "connect",
            "PostgreSQL runs with full_page_writes off: unless its file system writes pages whole, a loss of power \
             damages the database"
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
pub(crate) async fn check_roles(client: &ClientWrapper) -> Result<(), StoreError> {
    let sql =
        "SELECT count(*) FILTER (WHERE NOT rolsuper AND NOT rolbypassrls AND pg_has_role(oid, 'MEMBER'))
               FROM pg_roles
               WHERE rolname IN ('heddle_app', 'heddle_worker', 'heddle_directory', 'heddle_management',
                                 'heddle_sweeper', 'heddle_auditor', 'heddle_indexer')";
    let row = client.query_one(sql, &[]).await.map_err(|e| of_statement(&e))?;
    if row.get::<_, i64>(0) == 7 {
        return check_switch(client).await;
    }
    Err(StoreError::Unusable {
        reason:
            "the roles heddle_app, heddle_worker, heddle_directory, heddle_management, heddle_sweeper, \
                 heddle_auditor and heddle_indexer must be granted to the login role, and must be neither superusers nor bypass \
                 row-level security"
                .to_owned(),
    })
}

/// A transaction becomes another role, whoever has logged in, and then row-level security holds for it. Without the
/// switch a superuser, or whoever bypasses row-level security, would see every participant's rows.
async fn check_switch(client: &ClientWrapper) -> Result<(), StoreError> {
    execute(client, "BEGIN; SET LOCAL ROLE heddle_app").await?;
    let sql = "SELECT current_user = 'heddle_app',
                   (SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class
                    WHERE relnamespace = 'heddle'::regnamespace AND relkind = 'r'
                      AND EXISTS (SELECT FROM pg_attribute
                                  WHERE attrelid = pg_class.oid AND attname = 'owner' AND NOT attisdropped)
                      AND NOT row_security_active(pg_class.oid))";
    let row = client.query_one(sql, &[]).await.map_err(|e| of_statement(&e))?;
    execute(client, "ROLLBACK").await?;
    let (switched, open): (bool, Option<String>) = (row.get(0), row.get(1));
    if !switched {
        let reason = "the connection does not become the role heddle_app within a transaction, so participants would \
                      not be held apart: connect without a pooler, or with one in session mode, as a login role that \
                      is neither a superuser nor bypasses row-level security";
        return Err(StoreError::Unusable { reason: reason.to_owned() });
    }
    open.map_or(Ok(()), |tables| {
        Err(StoreError::Unusable {
            reason: format!(
                "row-level security is not in force for {tables} of the schema heddle, so participants would not be \
                 held apart: ALTER TABLE … ENABLE ROW LEVEL SECURITY and FORCE ROW LEVEL SECURITY, and start again"
            ),
        })
    })
}
