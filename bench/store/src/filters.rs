//! Each form of filter over 100,000 documents of one participant context beside those of others: a page of fifty, whole
//! rows, through the store. The forms are those whose plans the tests look at.

use std::time::Instant;

use heddle_store::contract::{
    seed::{Record, records},
    shapes::{self, Shape},
};
use heddle_tenancy::ParticipantScope;

use crate::{Options, databases::Bench, spread};

/// Documents of the participant context that asks, and of another one.
const OWN: u32 = 100_000;
const OTHERS: u32 = 20_000;
/// Lists of one form in a run, of those that an index answers and of those that none does.
const INDEXED_LISTS: usize = 300;
const SCANNED_LISTS: usize = 10;

/// The p99 of each form, run by run; the databases keep their documents.
pub async fn measure(options: &Options) -> anyhow::Result<()> {
    for kind in options.kinds() {
        let bench = Bench::open(kind, &options.folder).await?;
        let (alice, bob) = (bench.participant("alice"), bench.participant("bob"));
        records(&bench.store, &alice, 0..OWN).await?;
        records(&bench.store, &bob, 0..OTHERS).await?;
        bench.settle();
        for (forms, lists, how) in [
            (shapes::indexed(), INDEXED_LISTS, "indexed"),
            (shapes::scans(), SCANNED_LISTS, "a scan, bounded"),
        ] {
            for form in forms {
                let (mut medians, mut p99) = (Vec::new(), Vec::new());
                for _ in 0..options.runs {
                    let times = run(&bench, &alice, &form, lists).await?;
                    medians.push(spread::median(&times));
                    p99.push(spread::quantile(&times, 0.99));
                }
                let what = format!("{}, {how}, {}", kind.name(), form.name);
                spread::print(&format!("{what}, medians"), "ms", &medians);
                spread::print(&format!("{what}, p99"), "ms", &p99);
            }
        }
        bench.close().await;
    }
    Ok(())
}

async fn run(
    bench: &Bench,
    scope: &ParticipantScope,
    form: &Shape,
    lists: usize,
) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::with_capacity(lists);
    for _ in 0..lists {
        let begun = Instant::now();
        bench.store.begin(scope).list::<Record>(&form.query).await?;
        times.push(spread::ms(begun.elapsed()));
    }
    Ok(times)
}
