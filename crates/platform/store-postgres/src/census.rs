//! Counts for those who watch: as the roles that may see all owners' jobs and all published keys, and nothing else.

use deadpool_postgres::{ClientWrapper, Pool};
use heddle_clock::Timestamp;
use heddle_store::{Census, JobCount, PoolUse, PublishedCount, StoreError};
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
    let sql = "SELECT kind, count(*), count(*) FILTER (WHERE strpos(value, '\"active\":false') > 0)
         FROM heddle.directory GROUP BY kind ORDER BY kind";
    let rows = read(client, session::READ_AS_DIRECTORY, Vec::new(), Call::new(sql, values![])).await?;
    let published = rows.iter().map(published_count).collect::<Result<Vec<_>, _>>();
    Ok(Census {
        overdue_since: jobs.iter().filter_map(|(_, since)| *since).min(),
        jobs: jobs.into_iter().map(|(count, _)| count).collect(),
        published: published.map_err(|e| of_statement(&e))?,
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

fn published_count(row: &Row) -> Result<PublishedCount, Error> {
    Ok(PublishedCount { kind: row.try_get(0)?, rows: number(row, 1)?, inactive: number(row, 2)? })
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
