//! Commits that nobody has chosen: one of each stretch of the story, by number.

use heddle_clock::{Environment, Rng, SeededRng};
use heddle_e2e::{
    dying::{Doom, House, Side},
    play,
};

use crate::{
    SERVER,
    story::{survives, tell},
};

/// How many servers die, unless `DEATHS` says another number.
const DEATHS: u64 = 6;

/// A seed of `SEED`, or a new one.
pub fn seed() -> u64 {
    number("SEED").unwrap_or_else(|| u64::from_le_bytes(Environment::system().random()))
}

/// Learns from an undisturbed story how many commits it takes, divides them into stretches, and has a server die at
/// one commit of each.
pub async fn survive_all(seed: u64) {
    let deaths = number("DEATHS").unwrap_or(DEATHS);
    let (first, last) = length().await;
    tell(&format!("SEED={seed} DEATHS={deaths}: of the commits {first} to {last}"));
    let rng = SeededRng::new(seed);
    for stretch in 0..deaths {
        let (from, to) = (span(first, last, stretch, deaths), span(first, last, stretch + 1, deaths));
        let commit = from + random(&rng) % (to - from).max(1);
        let side = if random(&rng).is_multiple_of(2) { Side::Before } else { Side::After };
        let doom = Doom::new(side, &commit.to_string());
        survives("sweep", &House::new(SERVER, ""), &doom).await;
    }
}

fn span(first: u64, last: u64, stretch: u64, of: u64) -> u64 {
    first + (last - first) * stretch / of
}

/// The first commit behind those of a server's start, and the last one before the story begins to end.
async fn length() -> (u64, u64) {
    let house = House::new(SERVER, "");
    let life = house.start(None).await;
    let first = life.journal().len() as u64 + 1;
    play(&house.credentials()).await.expect("nobody dies");
    let journal = life.journal();
    let end = journal.iter().find(|entry| entry.labels().any(|label| label == "data.flow.completed"));
    let last = end.expect("a download that is over is told").commit;
    life.kill().await;
    (first, last)
}

fn random(rng: &SeededRng) -> u64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
