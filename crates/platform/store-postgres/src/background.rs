//! Gives events their places.

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{ClientWrapper, Pool};
use heddle_store::{Signals, StoreError, Topic};
use tokio::sync::Notify;

use crate::{
    error::{in_time, of_pool},
    pipeline::{Call, values},
    reads::{count_of, read},
    session,
};

/// Events that get their places in one commit.
const BATCH: i64 = 1000;
/// How long to leave the server alone after it did not answer.
const TROUBLE_WAIT: Duration = Duration::from_millis(500);

/// Gives places whenever `written` says that there are events without one, until it is aborted. The safety net is for
/// those of a process that died after its commit.
pub(crate) async fn sequence(pool: Pool, written: Arc<Notify>, signals: Signals, patience: Duration) {
    loop {
        match place(&pool, patience).await {
            Ok(0) => {
                // A wait that ends by time is the safety net.
                drop(tokio::time::timeout(signals.safety_net(), written.notified()).await);
            }
            Ok(_) => signals.announce(Topic::Events),
            Err(error) => {
                tracing::warn!(component = "store", action = "sequence", %error, "events wait for their places");
                tokio::time::sleep(TROUBLE_WAIT).await;
            }
        }
    }
}

async fn place(pool: &Pool, patience: Duration) -> Result<u64, StoreError> {
    let client = pool.get().await.map_err(of_pool)?;
    let placed = tokio::time::timeout(patience, place_batch(&client)).await;
    in_time(client, placed)
}

async fn place_batch(client: &ClientWrapper) -> Result<u64, StoreError> {
    let call = Call::new("SELECT heddle.place_events($1)", values![BATCH]);
    count_of(&read(client, session::WRITE_AS_WORKER, Vec::new(), call).await?)
}

/// Gives places to all events that are committed at this moment; whether there were any without one.
pub(crate) async fn place_all(client: &ClientWrapper) -> Result<bool, StoreError> {
    let mut any = false;
    loop {
        let placed = place_batch(client).await?;
        any |= placed > 0;
        if placed < BATCH.unsigned_abs() {
            return Ok(any);
        }
    }
}
