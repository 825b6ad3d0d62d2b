//! Claims: which jobs a worker gets, and for how long.

use deadpool_postgres::ClientWrapper;
use heddle_clock::Timestamp;
use heddle_ids::JobId;
use heddle_store::{ClaimRequest, ClaimedJob, Lease, StoreError, share_of_host};
use heddle_tenancy::InvalidOwner;
use tokio_postgres::{Error, Row};

use crate::{
    error::of_statement,
    pipeline::{Call, values},
    reads::read,
    session,
};

/// Leases what the request asks for. A claim that finds nothing writes nothing.
pub(crate) async fn claim(
    client: &ClientWrapper,
    request: &ClaimRequest,
) -> Result<Vec<ClaimedJob>, StoreError> {
    let sql = "SELECT id, owner, kind, order_key, payload, attempts, created_at, trace
         FROM heddle.claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ORDER BY turn";
    let values = values![
        request.worker.to_string(),
        request.token.clone(),
        request.until.as_millis(),
        request.now.as_millis(),
        request.kinds.clone(),
        i64::from(request.limit),
        i64::from(request.per_owner_max),
        i64::from(request.per_host_max),
        i64::from(share_of_host(request.per_owner_max)),
        request.after.as_ref().map(ToString::to_string).unwrap_or_default(),
    ];
    let rows = read(client, session::LEASE_AS_WORKER, Vec::new(), Call::new(sql, values)).await?;
    rows.iter().map(|row| claimed(row, &request.token)).collect()
}

fn claimed(row: &Row, token: &str) -> Result<ClaimedJob, StoreError> {
    let read = || -> Result<_, Error> {
        let (id, owner): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (attempts, created_at): (i64, i64) = (row.try_get(5)?, row.try_get(6)?);
        let texts = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
        Ok((id, owner, texts, attempts, created_at, row.try_get::<_, Option<String>>(7)?))
    };
    let (id, owner, (kind, order_key, payload), attempts, created_at, trace) =
        read().map_err(|e| of_statement(&e))?;
    let unreadable =
        |reason: String| StoreError::Unreadable { kind: "job".to_owned(), id: id.clone(), reason };
    Ok(ClaimedJob {
        owner: owner.parse().map_err(|e: InvalidOwner| unreadable(e.to_string()))?,
        lease: Lease {
            job: JobId::parse(id.as_str()).map_err(|e| unreadable(e.to_string()))?,
            token: token.to_owned(),
        },
        kind,
        order_key,
        payload,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        created_at: Timestamp::from_millis(created_at),
        trace: trace.and_then(|text| text.parse().ok()),
    })
}

/// Extends leases that are still held under their token; gives back those whose jobs are there under another or none.
pub(crate) async fn extend(
    client: &ClientWrapper,
    leases: &[Lease],
    until: Timestamp,
) -> Result<Vec<Lease>, StoreError> {
    let sql = "WITH held AS (SELECT * FROM unnest($1::text[], $2::text[]) AS held (id, token)),
         extended AS (
             UPDATE heddle.job SET lease_until = $3 FROM held
             WHERE job.id = held.id AND job.lease_token = held.token
             RETURNING job.id
         )
         SELECT held.id, held.token FROM held JOIN heddle.job ON job.id = held.id
         WHERE NOT EXISTS (SELECT FROM extended WHERE extended.id = held.id)";
    let jobs: Vec<String> = leases.iter().map(|lease| lease.job.to_string()).collect();
    let tokens: Vec<String> = leases.iter().map(|lease| lease.token.clone()).collect();
    let call = Call::new(sql, values![jobs, tokens, until.as_millis()]);
    let rows = read(client, session::LEASE_AS_WORKER, Vec::new(), call).await?;
    let lost = rows.iter().map(|row| {
        let id: String = row.try_get(0).map_err(|e| of_statement(&e))?;
        let token = row.try_get(1).map_err(|e| of_statement(&e))?;
        let unreadable =
            |reason: String| StoreError::Unreadable { kind: "job".to_owned(), id: id.clone(), reason };
        let job = JobId::parse(id.as_str()).map_err(|e| unreadable(e.to_string()))?;
        Ok(Lease { job, token })
    });
    lost.collect()
}

/// When the next waiting job falls due or a lease runs out.
pub(crate) async fn next_due(
    client: &ClientWrapper,
    kinds: &[String],
    after: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT least(
             (SELECT due_at FROM heddle.job
              WHERE NOT buried AND lease_until IS NULL AND due_at > $1 AND kind = ANY ($2)
              ORDER BY due_at LIMIT 1),
             (SELECT min(lease_until) FROM heddle.job WHERE lease_until > $1 AND kind = ANY ($2)))";
    let call = Call::new(sql, values![after.as_millis(), kinds.to_vec()]);
    let rows = read(client, session::READ_AS_WORKER, Vec::new(), call).await?;
    let next = rows.first().map_or(Ok(None), |row| row.try_get::<_, Option<i64>>(0));
    Ok(next.map_err(|e| of_statement(&e))?.map(Timestamp::from_millis))
}
