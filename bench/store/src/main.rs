//! Measures the store and prints runs, medians and spreads; it asserts nothing. `./dev bench store` and `./dev bench
//! fairness` build and run it.
//!
//! To add a measurement: a module with an async function that takes the [`Options`], and a line in `main`.

mod commits;
mod contexts;
mod databases;
mod fairness;
mod filters;
mod latency;
mod spread;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use databases::Kind;

/// The same as the product's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the store.
#[derive(Debug, Parser)]
struct Options {
    /// What to measure; without it, all but fairness.
    measurements: Vec<Measurement>,
    /// How often.
    #[arg(long, default_value = "5")]
    runs: u32,
    /// How long each run of commits lasts, in seconds.
    #[arg(long, default_value = "3")]
    seconds: u64,
    /// On one database alone.
    #[arg(long)]
    database: Option<Kind>,
    /// Idle participant contexts.
    #[arg(long, default_value = "100000")]
    contexts: u32,
    /// The program that is measured with them.
    #[arg(long, default_value = "target/release/heddle")]
    heddle: PathBuf,
    /// Where databases are made: on a real disk, if the figures are to mean anything.
    #[arg(long, default_value = "target")]
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// Commits a second, alone and by 64 at once.
    Commits,
    /// From a commit to the start of its job.
    Latency,
    /// Filters over 100,000 documents.
    Filters,
    /// Idle participant contexts: start and memory.
    Contexts,
    /// The others' job latency, with and without a dead peer.
    Fairness,
}

impl Options {
    /// The databases to measure.
    fn kinds(&self) -> Vec<Kind> {
        self.database.map_or_else(|| vec![Kind::Sqlite, Kind::Postgres], |kind| vec![kind])
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let all = [Measurement::Commits, Measurement::Latency, Measurement::Filters, Measurement::Contexts];
    let chosen = if options.measurements.is_empty() { &all[..] } else { &options.measurements[..] };
    for measurement in chosen {
        match measurement {
            Measurement::Commits => commits::measure(&options).await?,
            Measurement::Latency => latency::measure(&options).await?,
            Measurement::Filters => filters::measure(&options).await?,
            Measurement::Contexts => contexts::measure(&options).await?,
            Measurement::Fairness => fairness::measure(&options).await?,
        }
    }
    Ok(())
}
