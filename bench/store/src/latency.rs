//! From a commit to the start of its job: where the commit's own process runs it, and where a worker has to be woken.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use heddle_store::{JobContext, JobHandler, NewJob, Outcome, Store, StoreError, Worker, WorkerLimits};
use tokio::sync::mpsc;

use crate::{
    Options,
    databases::{Bench, Kind},
    spread,
};

/// Jobs of a run.
const JOBS: u32 = 300;

/// Says when a job begins.
struct Begins(mpsc::UnboundedSender<Instant>);

#[async_trait]
impl JobHandler for Begins {
    async fn run(&self, _: &JobContext) -> Result<Outcome, StoreError> {
        // The measurement may be over.
        self.0.send(Instant::now()).ok();
        Ok(Outcome::Done)
    }
}

/// The median and the p99 of each run: from the call of the commit, and from its return.
pub async fn measure(options: &Options) -> anyhow::Result<()> {
    for kind in options.kinds() {
        for (woken, whose) in [(false, "of its own process"), (true, "of a worker that is woken")] {
            let (mut medians, mut whole, mut p99) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..options.runs {
                let (after, with) = run(options, kind, woken).await?;
                medians.push(spread::median(&after));
                whole.push(spread::median(&with));
                p99.push(spread::quantile(&after, 0.99));
            }
            let what = format!("{}, start of a job {whose}", kind.name());
            spread::print(&format!("{what}, after its commit, medians"), "ms", &medians);
            spread::print(&format!("{what}, after its commit, p99"), "ms", &p99);
            spread::print(&format!("{what}, with its commit, medians"), "ms", &whole);
        }
    }
    Ok(())
}

async fn run(options: &Options, kind: Kind, woken: bool) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let bench = Bench::open(kind, &options.folder).await?;
    let (sender, mut begun) = mpsc::unbounded_channel();
    let worker = Worker::new(bench.store.clone(), bench.scopes.clone(), WorkerLimits::default());
    let worker = worker.handle("bench", Arc::new(Begins(sender))).start();
    let store: Store = if woken { bench.elsewhere() } else { bench.store.clone() };
    let alice = bench.participant("alice");
    let (mut after, mut with) = (Vec::new(), Vec::new());
    for n in 0..JOBS {
        let mut transaction = store.begin(&alice);
        transaction.enqueue(NewJob::new("bench", format!("job/{n}"), &n));
        let called = Instant::now();
        transaction.commit().await?;
        let committed = Instant::now();
        let Some(start) = begun.recv().await else { break };
        // It may begin before its commit has come back to whoever called it.
        after.push(spread::ms(start.saturating_duration_since(committed)));
        with.push(spread::ms(start.saturating_duration_since(called)));
    }
    worker.drain(std::time::Duration::from_secs(10)).await;
    bench.close().await;
    Ok((after, with))
}
