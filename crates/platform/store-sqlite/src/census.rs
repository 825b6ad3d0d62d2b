//! Counts for those who watch.

use heddle_clock::Timestamp;
use heddle_store::{Census, JobCount, PublishedCount, StoreError};
use rusqlite::{Connection, params};

use crate::error::of_statement;

pub(crate) fn census(connection: &Connection, now: Timestamp) -> Result<Census, StoreError> {
    let count = || {
        let sql = "SELECT kind, sum(buried = 0 AND coalesce(lease_until, 0) <= ?1),
                 sum(buried = 0 AND coalesce(lease_until, 0) > ?1), sum(buried)
             FROM job GROUP BY kind ORDER BY kind";
        let mut statement = connection.prepare_cached(sql)?;
        let jobs = statement.query_map(params![now.as_millis()], |row| {
            Ok(JobCount { kind: row.get(0)?, waiting: row.get(1)?, running: row.get(2)?, dead: row.get(3)? })
        })?;
        let jobs = jobs.collect::<Result<Vec<_>, _>>()?;
        let sql = "SELECT min(due_at) FROM job WHERE buried = 0 AND lease_until IS NULL AND due_at <= ?1";
        let overdue: Option<i64> =
            connection.prepare_cached(sql)?.query_row(params![now.as_millis()], |row| row.get(0))?;
        let sql = "SELECT kind, count(*), sum(instr(value, '\"active\":false') > 0)
             FROM directory GROUP BY kind ORDER BY kind";
        let mut statement = connection.prepare_cached(sql)?;
        let published = statement.query_map([], |row| {
            Ok(PublishedCount { kind: row.get(0)?, rows: row.get(1)?, inactive: row.get(2)? })
        })?;
        let published = published.collect::<Result<Vec<_>, _>>()?;
        Ok(Census { jobs, overdue_since: overdue.map(Timestamp::from_millis), published })
    };
    count().map_err(of_statement)
}
