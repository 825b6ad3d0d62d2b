//! The audit log: sealed by one process at a time, read by anybody who may be its auditor.

use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Pool};
use heddle_clock::Timestamp;
use heddle_store::{
    StoreError,
    audit::{AuditHead, AuditLog, AuditQuery, AuditRecord, AuditState, SealedRecord},
};
use tokio::time::timeout;
use tokio_postgres::{Error, Row};

use crate::{
    PostgresOptions, connect,
    error::{in_time, of_first_connection, of_pool, of_statement},
    pipeline::{Call, values},
    reads::read,
    session, tls,
};

const COLUMNS: &str =
    "SELECT seq, owner, actor, action, subject, reason, at, trace, place, hash FROM heddle.audit";

/// Seals what waits. The head's row is held from the first look to the commit: others who seal wait for it and go on
/// from there. A process that dies in between leaves nothing behind.
pub(crate) async fn seal(client: &mut ClientWrapper, limit: u32) -> Result<Option<AuditHead>, StoreError> {
    let sealed = async {
        let transaction = client.transaction().await?;
        transaction.batch_execute("SET LOCAL ROLE heddle_auditor").await?;
        let row = transaction.query_one("SELECT place, hash FROM heddle.audit_head FOR UPDATE", &[]).await?;
        let head = AuditHead { place: unsigned(&row, 0)?, hash: row.try_get(1)? };
        let sql = format!("{COLUMNS} WHERE place IS NULL ORDER BY seq LIMIT $1");
        let waiting = transaction.query(&sql, &[&i64::from(limit)]).await?;
        if waiting.is_empty() {
            // Dropping the transaction rolls it back.
            return Ok(None);
        }
        let waiting = waiting.iter().map(record_of).collect::<Result<Vec<_>, Error>>()?;
        let (sealed, head) = head.seal(waiting);
        let seqs: Vec<i64> = sealed.iter().map(|entry| signed(entry.record.seq)).collect();
        let places: Vec<i64> = sealed.iter().map(|entry| signed(entry.place)).collect();
        let hashes: Vec<&str> = sealed.iter().map(|entry| entry.hash.as_str()).collect();
        let sql = "UPDATE heddle.audit SET place = sealed.place, hash = sealed.hash
             FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS sealed (seq, place, hash)
             WHERE audit.seq = sealed.seq AND audit.place IS NULL";
        transaction.execute(sql, &[&seqs, &places, &hashes]).await?;
        let sql = "UPDATE heddle.audit_head SET place = $1, hash = $2";
        transaction.execute(sql, &[&signed(head.place), &head.hash]).await?;
        transaction.commit().await?;
        Ok(Some(head))
    };
    sealed.await.map_err(|e: Error| of_statement(&e))
}

/// Places and numbers count from 1 and never reach the end of their type.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row, column: usize) -> Result<u64, Error> {
    row.try_get::<_, i64>(column).map(i64::unsigned_abs)
}

fn record_of(row: &Row) -> Result<AuditRecord, Error> {
    Ok(AuditRecord {
        seq: unsigned(row, 0)?,
        owner: row.try_get(1)?,
        actor: row.try_get(2)?,
        action: row.try_get(3)?,
        subject: row.try_get(4)?,
        reason: row.try_get(5)?,
        at: Timestamp::from_millis(row.try_get(6)?),
        trace: row.try_get(7)?,
    })
}

fn sealed_of(row: &Row) -> Result<SealedRecord, Error> {
    // What was changed by hand may be anything.
    let hash: Option<String> = row.try_get(9)?;
    Ok(SealedRecord { place: unsigned(row, 8)?, record: record_of(row)?, hash: hash.unwrap_or_default() })
}

async fn state(client: &ClientWrapper) -> Result<AuditState, StoreError> {
    let sql = "SELECT place, hash, (SELECT count(*) FROM heddle.audit WHERE place IS NULL)
         FROM heddle.audit_head";
    let rows = read(client, session::READ_AS_AUDITOR, Vec::new(), Call::new(sql, values![])).await?;
    let state = |row: &Row| {
        let head = AuditHead { place: unsigned(row, 0)?, hash: row.try_get(1)? };
        Ok(AuditState { head, unsealed: unsigned(row, 2)? })
    };
    match rows.first() {
        Some(row) => state(row).map_err(|e: Error| of_statement(&e)),
        None => Err(StoreError::Damaged { reason: "the audit log has no head".to_owned() }),
    }
}

async fn entries(client: &ClientWrapper, query: &AuditQuery) -> Result<Vec<SealedRecord>, StoreError> {
    // A place of anybody's making: none that an entry can have is after all of them.
    let (after, limit) = (signed(query.after), i64::from(query.limit));
    let rows = match &query.owner {
        Some(owner) => {
            let sql = format!("{COLUMNS} WHERE owner = $1 AND place > $2 ORDER BY place LIMIT $3");
            let identity = session::named(owner.clone(), String::new());
            let call = Call::new(sql, values![owner.clone(), after, limit]);
            // Row-level security holds for an owner's own entries as for all else of theirs.
            read(client, session::READ_AS_APP, vec![identity], call).await?
        }
        None => {
            let sql = format!("{COLUMNS} WHERE place > $1 ORDER BY place LIMIT $2");
            let call = Call::new(sql, values![after, limit]);
            read(client, session::READ_AS_AUDITOR, Vec::new(), call).await?
        }
    };
    rows.iter().map(sealed_of).collect::<Result<_, Error>>().map_err(|e| of_statement(&e))
}

/// The audit log of a database that servers may be using. Nothing of it is changed.
#[derive(Debug)]
pub struct PostgresAudit {
    pool: Pool,
    patience: Duration,
}

/// Whoever walks along a long chain reads it page by page; none of them takes longer.
const PAGE_WAIT: Duration = Duration::from_secs(300);

impl PostgresAudit {
    pub(crate) fn over(pool: Pool, patience: Duration) -> Self {
        Self { pool, patience }
    }

    /// Connects.
    ///
    /// # Errors
    /// `Unavailable` when the server cannot be reached, `Unusable` when the URL is wrong, the login role may not be the
    /// auditor, or the database holds no audit log that is sealed. No error holds the password.
    pub async fn connect(url: &str, options: &PostgresOptions) -> Result<Self, StoreError> {
        let config = connect::config(url, options)?;
        let tls = tls::connector(options.root_certificates.as_deref())?;
        let options = PostgresOptions { statement_wait: PAGE_WAIT, ..options.clone() };
        let pool = connect::pool(config.clone(), tls, 1, &options)?;
        let client = pool.get().await.map_err(|error| of_first_connection(&config, error))?;
        let known = "SELECT to_regclass('heddle.audit_head') IS NOT NULL,
                            EXISTS (SELECT FROM pg_roles WHERE rolname = 'heddle_auditor'
                                    AND pg_has_role(oid, 'MEMBER'))";
        let row = client.query_one(known, &[]).await.map_err(|e| of_statement(&e))?;
        drop(client);
        match (row.get(0), row.get(1)) {
            (true, true) => Ok(Self::over(pool, options.patience())),
            (true, false) => Err(StoreError::Unusable {
                reason: "the audit log is read under the role heddle_auditor: grant it to the login role"
                    .to_owned(),
            }),
            (false, _) => Err(StoreError::Unusable {
                reason:
                    "the database has no sealed audit log: it is empty or of an older release; start this \
                         release on it once"
                        .to_owned(),
            }),
        }
    }
}

#[async_trait]
impl AuditLog for PostgresAudit {
    async fn audit_state(&self) -> Result<AuditState, StoreError> {
        let client = self.pool.get().await.map_err(of_pool)?;
        let done = timeout(self.patience, state(&client)).await;
        in_time(client, done)
    }

    async fn audit_entries(&self, query: AuditQuery) -> Result<Vec<SealedRecord>, StoreError> {
        let client = self.pool.get().await.map_err(of_pool)?;
        let done = timeout(self.patience, entries(&client, &query)).await;
        in_time(client, done)
    }
}
