//! The others' job latency, without and with a dead peer for whom 10,000 jobs wait.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use heddle_store::{JobContext, JobHandler, NewJob, Outcome, StoreError, Worker, WorkerLimits};
use tokio::sync::mpsc;

use crate::{
    Options,
    databases::{Bench, Kind},
    spread,
};

/// Jobs that wait for the dead peer.
const QUEUE: u32 = 10_000;
/// Participants beside the one that calls it, and the jobs of each.
const OTHERS: u32 = 9;
const JOBS: u32 = 100;
/// How long a job of the others takes.
const WORK: Duration = Duration::from_millis(2);
/// How often one of them is enqueued.
const INTERVAL: Duration = Duration::from_millis(3);
/// How long a call of the dead peer lets its caller wait.
const SILENCE: Duration = Duration::from_secs(5);

/// Runs everybody's jobs.
struct Calls(mpsc::UnboundedSender<(String, Instant)>);

#[async_trait]
impl JobHandler for Calls {
    async fn run(&self, context: &JobContext) -> Result<Outcome, StoreError> {
        if context.job.order_key.starts_with("dead/") {
            tokio::time::sleep(SILENCE).await;
            return Ok(Outcome::Retry { error: "no answer".to_owned(), after: None });
        }
        // The measurement may be over.
        drop(self.0.send((format!("{} {}", context.job.owner, context.job.order_key), Instant::now())));
        tokio::time::sleep(WORK).await;
        Ok(Outcome::Done)
    }
}

/// The medians of each run, without and with.
pub async fn measure(options: &Options) -> anyhow::Result<()> {
    for kind in options.kinds() {
        for (queue, what) in [(0, "without a dead peer"), (QUEUE, "with a dead peer")] {
            let (mut medians, mut p99) = (Vec::new(), Vec::new());
            for _ in 0..options.runs {
                let latencies = run(options, kind, queue).await?;
                medians.push(spread::median(&latencies));
                p99.push(spread::quantile(&latencies, 0.99));
            }
            let what = format!("{}, the others' jobs {what}", kind.name());
            spread::print(&format!("{what}, from commit to start, medians"), "ms", &medians);
            spread::print(&format!("{what}, from commit to start, p99"), "ms", &p99);
        }
    }
    Ok(())
}

async fn run(options: &Options, kind: Kind, queue: u32) -> anyhow::Result<Vec<f64>> {
    let bench = Bench::open(kind, &options.folder).await?;
    let mallory = bench.participant("mallory");
    for batch in 0..queue / 1000 {
        let mut transaction = bench.store.begin(&mallory);
        for n in 0..1000 {
            let key = format!("dead/{batch}-{n}");
            transaction.enqueue(NewJob::new("bench", key, &n).calling("dead.example"));
        }
        transaction.commit().await?;
    }
    let (sender, mut begun) = mpsc::unbounded_channel();
    let worker = Worker::new(bench.store.clone(), bench.scopes.clone(), WorkerLimits::default());
    let worker = worker.handle("bench", Arc::new(Calls(sender))).start();
    // By another handle: these jobs are claimed, and not handed over by their commits.
    let store = bench.elsewhere();
    let mut committed = std::collections::BTreeMap::new();
    let mut interval = tokio::time::interval(INTERVAL);
    for n in 0..JOBS {
        for other in 0..OTHERS {
            interval.tick().await;
            let owner = format!("other-{other}");
            let scope = bench.participant(&owner);
            let mut transaction = store.begin(&scope);
            transaction.enqueue(NewJob::new("bench", format!("alive/{n}"), &n).calling("alive.example"));
            committed.insert(format!("p:{owner} alive/{n}"), Instant::now());
            transaction.commit().await?;
        }
    }
    let mut latencies = Vec::new();
    while latencies.len() < committed.len() {
        let Some((name, start)) = begun.recv().await else { break };
        if let Some(from) = committed.get(&name) {
            latencies.push(spread::ms(start.saturating_duration_since(*from)));
        }
    }
    worker.drain(Duration::ZERO).await;
    bench.close().await;
    Ok(latencies)
}
