//! What PostgreSQL and its driver say, in the port's words.

use std::error::Error as _;

use deadpool_postgres::{Object, PoolError};
use heddle_store::StoreError;
use tokio::time::error::Elapsed;
use tokio_postgres::{Config, Error, config::Host, error::SqlState};

/// Raised by `heddle.save` and its like: another version.
pub(crate) const STALE: &str = "HD001";
/// Raised by `heddle.complete` and its like: another lease.
pub(crate) const LEASE_LOST: &str = "HD002";

/// An error of a statement or of a connection.
pub(crate) fn of_statement(error: &Error) -> StoreError {
    let reason = format!("PostgreSQL: {}", text(error));
    match error.code() {
        None => StoreError::Unavailable { reason },
        Some(&SqlState::DISK_FULL) => StoreError::Full { reason },
        Some(state) if state.code().starts_with("XX") && *state != SqlState::INTERNAL_ERROR => {
            StoreError::Damaged { reason }
        }
        Some(&SqlState::QUERY_CANCELED) => StoreError::Unavailable {
            reason: format!(
                "a statement took too long and was broken off, and nothing of it is stored ({reason})"
            ),
        },
        Some(state) if is_temporary(state) => StoreError::Unavailable { reason },
        Some(_) => StoreError::Unusable { reason },
    }
}

/// Classes of SQLSTATE (PostgreSQL documentation, appendix A) that pass: connection exceptions, rolled back
/// transactions, too few resources, locks, operator intervention, and I/O errors.
fn is_temporary(state: &SqlState) -> bool {
    ["08", "40", "53", "55", "57", "58"].iter().any(|class| state.code().starts_with(class))
}

/// Whether the database chose this transaction to break off, so that it may be sent again as it is.
pub(crate) fn is_conflict(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

/// What became of work with a connection that had `time` to end. A server that stays silent for longer may be gone:
/// the connection is given up, with whatever is under way on it, and nobody waits for it.
pub(crate) fn in_time<T>(
    client: Object,
    done: Result<Result<T, StoreError>, Elapsed>,
) -> Result<T, StoreError> {
    done.unwrap_or_else(|_| {
        drop(Object::take(client));
        let reason = "the server does not answer; what was under way may have been done or not".to_owned();
        Err(StoreError::Unavailable { reason })
    })
}

pub(crate) fn of_pool(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => of_statement(&error),
        PoolError::Closed => StoreError::Unavailable { reason: "it is closed".to_owned() },
        PoolError::Timeout(_) => {
            StoreError::Unavailable { reason: "no connection became free in time".to_owned() }
        }
        PoolError::PostCreateHook(error) => StoreError::Unavailable { reason: error.to_string() },
        PoolError::NoRuntimeSpecified => {
            StoreError::Unusable { reason: "the connection pool has no timer; this is a defect".to_owned() }
        }
    }
}

/// Why the database cannot be connected to at the start: which one, and what to do. The password is not told.
pub(crate) fn of_first_connection(config: &Config, error: PoolError) -> StoreError {
    let place = place(config);
    let user = config.get_user().unwrap_or_default();
    let unusable = |reason: String| StoreError::Unusable { reason };
    let late = matches!(error, PoolError::Timeout(_));
    let PoolError::Backend(said) = error else {
        let why = match of_pool(error) {
            StoreError::Unavailable { .. } if late => "it does not answer in time".to_owned(),
            StoreError::Unavailable { reason } | StoreError::Unusable { reason } => reason,
            other => other.to_string(),
        };
        let reason = format!("PostgreSQL at {place} gives no connection: {why}");
        return StoreError::Unavailable { reason };
    };
    let why = text(&said);
    match said.code() {
        Some(&(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION)) => {
            unusable(format!(
                "PostgreSQL at {place} refuses the user '{user}': {why}; name the right user and password in the \
                 database's URL"
            ))
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            unusable(format!("PostgreSQL at {place} has no such database: {why}; create it, or name another"))
        }
        Some(state) if is_temporary(state) => StoreError::Unavailable {
            reason: format!("PostgreSQL at {place} does not take connections at the moment: {why}"),
        },
        Some(_) => unusable(format!("PostgreSQL at {place} refuses the connection: {why}")),
        None if why.contains("password missing") => unusable(format!(
            "PostgreSQL at {place} asks for a password of the user '{user}', and the database's URL has none"
        )),
        None if is_gibberish(&said) => unusable(format!(
            "what answers at {place} does not speak PostgreSQL's protocol ({why}); name the right host and port in \
             the database's URL"
        )),
        None => StoreError::Unavailable {
            reason: format!(
                "PostgreSQL at {place} cannot be connected to: {why}; start it, or name the right host and port in \
                 the database's URL"
            ),
        },
    }
}

/// Whether the other side spoke, and could not be understood.
fn is_gibberish(error: &Error) -> bool {
    use std::io::{self, ErrorKind};
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| {
        let kinds =
            [ErrorKind::Other, ErrorKind::InvalidData, ErrorKind::InvalidInput, ErrorKind::UnexpectedEof];
        kinds.contains(&cause.kind())
    })
}

/// `host:port`, or several, as the URL names them.
fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(index)),
        Host::Unix(path) => format!("{}:{}", path.display(), port(index)),
    });
    hosts.collect::<Vec<_>>().join(", ")
}

/// What it says and why, without what it was told: the driver puts no password into either.
pub(crate) fn text(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
