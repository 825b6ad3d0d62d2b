//! A look at a database before a server, or beside one. It changes nothing.

use deadpool_postgres::{ClientWrapper, Object, Pool};
use heddle_clock::{Environment, Timestamp};
use heddle_store::{
    StoreError,
    finding::{Examined, Finding},
};

use crate::{
    PostgresOptions, connect,
    error::{of_first_connection, of_pool, of_statement},
    migration,
    pipeline::{Call, values},
    reads::read,
    session, tls,
};

const CONNECTION: &str = "database.connection";
/// Connections that the look needs: a second one shows what a pooler does.
const CONNECTIONS: usize = 2;

/// Tries everything that a server needs of the database at `url`, and reads the installation's documents `wanted`, each a
/// kind and an id.
pub async fn examine(
    url: &str,
    options: &PostgresOptions,
    (environment, wanted): (&Environment, &[(&str, &str)]),
) -> Examined {
    let mut examined = Examined::default();
    let tried = "connect to PostgreSQL";
    let (pool, client) = match open(url, options).await {
        Ok(opened) => opened,
        Err(error) => {
            let finding = Finding::ok(CONNECTION, tried, reason(&error));
            let advice =
                "put the database's URL, its user, its password or the server right; see the sentence above";
            examined.findings.push(finding.failure(advice));
            return examined;
        }
    };
    examined.findings.push(Finding::ok(CONNECTION, tried, "connected"));
    let looked = look(&client, options, environment, &mut examined.findings).await;
    let has_schema = match looked {
        Ok(has_schema) => has_schema,
        Err(error) => {
            examined.findings.push(failed(CONNECTION, "ask the database", &error));
            return examined;
        }
    };
    examined.findings.push(pooler(&pool, &client).await);
    if has_schema {
        for (kind, id) in wanted {
            match document(&client, kind, id).await {
                Ok(document) => examined.documents.push(document),
                Err(error) => {
                    examined.findings.push(failed(
                        "database.read",
                        "read the installation's own rows",
                        &error,
                    ));
                    break;
                }
            }
        }
    }
    examined
}

async fn open(url: &str, options: &PostgresOptions) -> Result<(Pool, Object), StoreError> {
    let config = connect::config(url, options)?;
    let tls = tls::connector(options.root_certificates.as_deref())?;
    let pool = connect::pool(config.clone(), tls, CONNECTIONS, options)?;
    let client = pool.get().await.map_err(|error| of_first_connection(&config, error))?;
    Ok((pool, client))
}

/// The reason alone: what kind of failure it is, the verdict says.
fn reason(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable { reason } | StoreError::Unusable { reason } => reason.clone(),
        other => other.to_string(),
    }
}

fn failed(name: &'static str, tried: &str, error: &StoreError) -> Finding {
    let advice = "let the login role own the database, or grant it what the sentence above asks for";
    Finding::ok(name, tried, reason(error)).failure(advice)
}

/// Whether there is a schema.
async fn look(
    client: &ClientWrapper,
    options: &PostgresOptions,
    environment: &Environment,
    findings: &mut Vec<Finding>,
) -> Result<bool, StoreError> {
    let before = environment.now();
    let sql = "SELECT current_setting('server_version_num')::int, current_setting('server_version'),
                      current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on',
                      (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
                      to_regclass('heddle.migration') IS NOT NULL,
                      (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user),
                      (SELECT rolcreaterole FROM pg_roles WHERE rolname = session_user), session_user::text,
                      (SELECT count(*) FROM pg_roles
                       WHERE rolname LIKE 'heddle\\_%' AND pg_has_role(oid, 'MEMBER')),
                      has_database_privilege(current_database(), 'CREATE')";
    let row = client.query_one(sql, &[]).await.map_err(|e| of_statement(&e))?;
    let after = environment.now();
    findings.push(version(row.get(0), row.get(1)));
    findings.push(durability(row.get(2), row.get(3), options.fsync_required));
    let (theirs, exact) = (Timestamp::from_millis(row.get(4)), std::time::Duration::ZERO);
    findings.push(Finding::of_clock("database.clock", "the database", (before, after), (theirs, exact)));
    let user: String = row.get(8);
    if row.get(6) {
        findings.push(
            Finding::ok(
                "database.login",
                "look at the login role",
                format!("'{user}' is a superuser or bypasses row-level security"),
            )
            .failure("connect as a login role that is neither: participants are held apart by row-level security alone"),
        );
    }
    let has_schema = row.get(5);
    if has_schema {
        findings.push(schema(client).await?);
        findings.push(roles(client).await);
        return Ok(true);
    }
    let (may_make_roles, roles, may_make_schema): (bool, i64, bool) = (row.get(7), row.get(9), row.get(10));
    let finding = Finding::ok("database.schema", "look for the schema", "none yet; the first start makes it");
    findings.push(if may_make_schema && (may_make_roles || roles > 0) {
        finding
    } else {
        let happened = format!("none yet, and '{user}' may not make it");
        Finding { happened, ..finding }.failure(
            "let the login role own the database and create roles (ALTER ROLE … CREATEROLE), or run the store's \
             roles.sql once as an administrator",
        )
    });
    Ok(false)
}

fn version(number: i32, version: &str) -> Finding {
    let finding = Finding::ok("database.version", "ask for the version", format!("PostgreSQL {version}"));
    if number < migration::SERVER_VERSION_MIN {
        finding.failure("install version 15 or later")
    } else {
        finding
    }
}

fn durability(fsync: bool, whole_pages: bool, required: bool) -> Finding {
    let happened = match (fsync, whole_pages) {
        (true, true) => "fsync and full_page_writes are on",
        (false, _) => "fsync is off: what is acknowledged is lost when the database's machine loses power",
        (true, false) => {
            "full_page_writes is off: a loss of power damages the database, unless its file system writes \
                          pages whole"
        }
    };
    let finding = Finding::ok("database.durability", "read the durability settings", happened);
    let advice = "set fsync = on and full_page_writes = on in postgresql.conf, and reload it";
    match (fsync, whole_pages) {
        (true, true) => finding,
        (false, _) if required => finding.failure(advice),
        _ => finding.warning(advice),
    }
}

async fn schema(client: &ClientWrapper) -> Result<Finding, StoreError> {
    let applied = migration::applied(client).await?;
    let (number, known) = (applied.number(), migration::newest());
    let happened = match known - number {
        pending if pending > 0 => {
            format!("schema {number}; the next start applies {pending} more steps, up to {known}")
        }
        _ => format!("schema {number}; this release knows {known}"),
    };
    let finding = Finding::ok("database.schema", "compare the schema with this release", happened);
    Ok(match applied.refusal(known) {
        Some(refusal) => Finding { happened: refusal, ..finding }.failure("install the newer release"),
        None if known > number => finding.warning("back the database up before the next start"),
        None => finding,
    })
}

async fn roles(client: &ClientWrapper) -> Finding {
    let tried = "become the restricted role and look at row-level security";
    match migration::check_roles(client).await {
        Ok(()) => {
            Finding::ok("database.roles", tried, "the role switch works and row-level security is in force")
        }
        Err(error) => {
            let finding = Finding::ok("database.roles", tried, reason(&error));
            finding.failure("grant the roles to the login role, and let row-level security be")
        }
    }
}

/// A pooler in transaction mode gives a connection another session when somebody else uses the first.
async fn pooler(pool: &Pool, client: &ClientWrapper) -> Finding {
    let tried = "look whether a connection keeps its session while another one is used";
    let finding = |happened: &str| Finding::ok("database.pooler", tried, happened);
    match keeps_session(pool, client).await {
        Ok(true) => finding("it does: there is no pooler, or one in session mode"),
        Ok(false) => finding("it does not: there is a pooler in transaction mode")
            .failure("set the pooler to session mode, or connect without it"),
        Err(error) => finding(&reason(&error)).warning("let the server take more connections"),
    }
}

async fn keeps_session(pool: &Pool, client: &ClientWrapper) -> Result<bool, StoreError> {
    let first = session_of(client).await?;
    let other = pool.get().await.map_err(of_pool)?;
    other.batch_execute("BEGIN").await.map_err(|e| of_statement(&e))?;
    session_of(&other).await?;
    let second = session_of(client).await;
    other.batch_execute("ROLLBACK").await.map_err(|e| of_statement(&e))?;
    Ok(first == second?)
}

async fn session_of(client: &ClientWrapper) -> Result<i32, StoreError> {
    let row = client.query_one("SELECT pg_backend_pid()", &[]).await.map_err(|e| of_statement(&e))?;
    Ok(row.get(0))
}

async fn document(client: &ClientWrapper, kind: &str, id: &str) -> Result<Option<String>, StoreError> {
    let owner = heddle_tenancy::Owner::Installation.to_string();
    let sql = "SELECT document FROM heddle.aggregate WHERE owner = $1 AND kind = $2 AND id = $3";
    let call = Call::new(sql, values![owner.clone(), kind.to_owned(), id.to_owned()]);
    let identity = session::named(owner, String::new());
    let rows = read(client, session::READ_AS_APP, vec![identity], call).await?;
    Ok(rows.first().map(|row| row.get(0)))
}
