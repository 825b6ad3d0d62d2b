//! Commits a second: each a document of 1.5 KiB, a job and an event.

use std::time::{Duration, Instant};

use heddle_store::{Aggregate, NewEvent, NewJob};
use serde::{Deserialize, Serialize};

use crate::{
    Options,
    databases::{Bench, Kind},
    spread,
};

/// Bytes of a document.
const DOCUMENT_BYTES: usize = 1536;

#[derive(Serialize, Deserialize)]
struct Document {
    id: String,
    text: String,
}

impl Aggregate for Document {
    const KIND: &'static str = "bench-document";

    fn id(&self) -> &str {
        &self.id
    }
}

/// Alone and by 64 at once; each run in a new database.
pub async fn measure(options: &Options) -> anyhow::Result<()> {
    for kind in options.kinds() {
        for committers in [1, 64] {
            let mut runs = Vec::new();
            for _ in 0..options.runs {
                runs.push(run(options, kind, committers).await?);
            }
            spread::print(&format!("{}, commits by {committers} at once", kind.name()), "/s", &runs);
        }
    }
    Ok(())
}

async fn run(options: &Options, kind: Kind, committers: usize) -> anyhow::Result<f64> {
    let bench = Bench::open(kind, &options.folder).await?;
    let time = Duration::from_secs(options.seconds);
    let begun = Instant::now();
    let commit = async |committer: usize| -> anyhow::Result<u32> {
        let alice = bench.participant("alice");
        let mut done = 0;
        while begun.elapsed() < time {
            let id = format!("{committer}-{done}");
            // With its members' names it is as long as it is to be.
            let text = "x".repeat(DOCUMENT_BYTES - 20 - id.len());
            let mut transaction = bench.store.begin(&alice);
            transaction.enqueue(NewJob::new("bench", format!("document/{id}"), &id));
            transaction.emit(NewEvent::new("bench.document.created", &id, &id));
            transaction.insert(&Document { id, text });
            transaction.commit().await?;
            done += 1;
        }
        Ok(done)
    };
    let done = futures::future::try_join_all((0..committers).map(commit)).await?;
    let rate = f64::from(done.iter().sum::<u32>()) / begun.elapsed().as_secs_f64();
    bench.close().await;
    Ok(rate)
}
