//! Counts for those who watch: as the roles that may see all owners' jobs and all published keys, and nothing else.

use deadpool_postgres::{ClientWrapper, Pool};
use heddle_clock::Timestamp;
use heddle_store::{Census, JobCount, PoolUse, StoreError};
use tokio_postgres::{Error, Row};

use crate::{
    error::of_statement,
    pipeline::{Call, values},
    reads::read,
    session,
};

pub(crate) async fn census(client: &ClientWrapper, now: Timestamp) -> Result<Census, StoreError> {
    let sql = "SELECT kind, count(*) FILTER (WHERE NOT buried AND coalesce(lease_until, 0) <= $1),
             count(*) FILTER (WHERE NOT buried AND coalesce(lease_until, 0) > $1),
             count(*) FILTER (WHERE buried),
             min(due_at) FILTER (WHERE NOT buried AND lease_until IS NULL AND due_at <= $1)
         FROM heddle.job GROUP BY kind ORDER BY kind";
    let call = Call::new(sql, values![now.as_millis()]);
    let rows = read(client, session::READ_AS_WORKER, Vec::new(), call).await?;
    let jobs = rows.iter().map(job_count).collect::<Result<Vec<_>, _>>().map_err(|e| of_statement(&e))?;
    let call =
        Call::new("SELECT kind, count(*) FROM heddle.directory GROUP BY kind ORDER BY kind", values![]);
    let rows = read(client, session::READ_AS_DIRECTORY, Vec::new(), call).await?;
    let published = rows.iter().map(|row| Ok((row.try_get(0)?, number(row, 1)?))).collect::<Result<_, _>>();
    Ok(Census {
        overdue_since: jobs.iter().filter_map(|(_, since)| *since).min(),
        jobs: jobs.into_iter().map(|(count, _)| count).collect(),
        published: published.map_err(|e: Error| of_statement(&e))?,
    })
}

fn job_count(row: &Row) -> Result<(JobCount, Option<Timestamp>), Error> {
    let count = JobCount {
        kind: row.try_get(0)?,
        waiting: number(row, 1)?,
        running: number(row, 2)?,
        dead: number(row, 3)?,
    };
    Ok((count, row.try_get::<_, Option<i64>>(4)?.map(Timestamp::from_millis)))
}

fn number(row: &Row, column: usize) -> Result<u64, Error> {
    row.try_get(column).map(i64::unsigned_abs)
}

/// How much of a pool is in use.
pub(crate) fn pool_use(name: &'static str, pool: &Pool) -> PoolUse {
    let status = pool.status();
    PoolUse {
        name,
        max: status.max_size,
        busy: status.size.saturating_sub(status.available),
        idle: status.available.min(status.size),
        awaited: status.waiting,
    }
}
