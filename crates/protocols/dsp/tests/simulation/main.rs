//! Two participants over a bad link: messages and answers are lost, doubled, late and out of order; either
//! party crashes between storing a message and sending it, decides at random, and terminates when it likes.
//!
//! Every run follows from its seed. A failure names the seed: `SEED=17 cargo test -p heddle-dsp --test
//! simulation` runs that one alone and prints what happened.

mod machines;
#[path = "../support/mod.rs"]
mod support;
mod world;

use heddle_dsp::{
    negotiation::Negotiation,
    transfer::{Flow, TransferProcess},
};
use machines::Machine;
use world::{Report, World};

const SEEDS: u64 = 3000;

/// Runs every seed, or the one of the environment, and adds up what was seen.
fn run<M: Machine>(setup: &M::Setup) {
    let mut total = Report::default();
    let chosen: Option<u64> = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = chosen.map_or(0..SEEDS, |seed| seed..seed + 1);
    for seed in seeds {
        let (report, log) = World::<M>::new(seed, setup).run();
        if let Some(problem) = &report.problem {
            panic!("seed {seed}: {problem}\n{}", log.join("\n"));
        }
        total.add(&report);
        if chosen.is_some() {
            #[expect(clippy::print_stderr, reason = "somebody asked for this one run")]
            {
                eprintln!("{}", log.join("\n"));
            }
        }
    }
    if chosen.is_none() {
        // A simulation in which nothing happens proves nothing.
        assert!(total.finished > SEEDS / 10, "{total:?}");
        assert!(total.terminated > SEEDS / 20, "{total:?}");
        assert!(total.replays > SEEDS / 2, "{total:?}");
        assert!(total.crossings > SEEDS / 20, "{total:?}");
        assert!(total.waits > SEEDS / 50, "{total:?}");
        assert!(total.crashes > SEEDS / 2, "{total:?}");
        assert!(total.strays * 20 <= SEEDS, "late copies decide too often: {total:?}");
    }
}

#[test]
fn negotiations_end_alike_on_both_sides() {
    run::<Negotiation>(&());
}

#[test]
fn pull_transfers_end_alike_on_both_sides() {
    run::<TransferProcess>(&Flow::Pull);
}

#[test]
fn push_transfers_end_alike_on_both_sides() {
    run::<TransferProcess>(&Flow::Push);
}
