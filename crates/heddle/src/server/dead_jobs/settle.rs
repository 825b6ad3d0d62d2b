//! Ends dead jobs, one way or the other.

use heddle_store::{DEAD_JOBS_MAX, DeadJob, DeadJobQuery, StoreError, Transaction};
use heddle_web::Rejection;

use super::guard::Leave;
use crate::server::foundation::Foundation;

/// Jobs that end in one commit.
const BATCH: usize = 100;

/// How a dead job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It runs once more.
    Replay,
    /// It is deleted.
    Discard,
}

impl Ending {
    fn write(self, transaction: &mut Transaction<'_>, job: &DeadJob) {
        match self {
            Self::Replay => transaction.replay(&job.id),
            Self::Discard => transaction.discard(&job.id),
        }
    }
}

/// Ends all that fit and are dead when they are come to; how many. A job keeps its id, and ids are gone through in their
/// order: one that dies again in the meantime is not met again.
pub(super) async fn settle(
    foundation: &Foundation,
    leave: &Leave,
    mut query: DeadJobQuery,
    ending: Ending,
) -> Result<u64, Rejection> {
    let mut ended = 0;
    query.limit = DEAD_JOBS_MAX;
    loop {
        let mut jobs = leave.dead_jobs(foundation, query.clone()).await?;
        let Some(last) = jobs.last() else { return Ok(ended) };
        query.after = Some(last.id.clone());
        jobs.sort_by(|a, b| a.owner.cmp(&b.owner));
        for of_owner in jobs.chunk_by(|a, b| a.owner == b.owner) {
            for batch in of_owner.chunks(BATCH) {
                ended += end(foundation, leave, batch, ending).await?;
            }
        }
    }
}

/// Ends jobs of one owner.
async fn end(
    foundation: &Foundation,
    leave: &Leave,
    jobs: &[DeadJob],
    ending: Ending,
) -> Result<u64, Rejection> {
    let Some(first) = jobs.first() else { return Ok(0) };
    let scope = leave.scope_of(foundation, &first.owner)?;
    let commit = async |jobs: &[DeadJob]| {
        let mut transaction = foundation.store.begin(&*scope);
        jobs.iter().for_each(|job| ending.write(&mut transaction, job));
        transaction.commit().await
    };
    match commit(jobs).await {
        Ok(()) => return Ok(jobs.len() as u64),
        // Somebody else has ended one of them; which one is seen when each is ended alone.
        Err(StoreError::Stale { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut ended = 0;
    for job in jobs {
        match commit(std::slice::from_ref(job)).await {
            Ok(()) => ended += 1,
            Err(StoreError::Stale { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ended)
}
