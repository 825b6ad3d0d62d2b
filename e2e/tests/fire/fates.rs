//! Where in the story servers die: one commit of each stretch of it, by a seed.

use heddle_clock::{Environment, Rng, SeededRng};
use heddle_e2e::{
    dying::{Entry, Side},
    fire::{Arbiter, Fate, Place, Point, free_port},
    play,
};
use tokio::sync::OnceCell;

use crate::{SERVER, story::tell};

/// How many servers die, unless `DEATHS` says another number.
const DEATHS: usize = 30;
/// The event of a download that is over.
pub const DOWNLOADED: &str = "data.flow.completed";

/// Chooses commits from the founding to the end of the download.
pub async fn choose(what: &str) -> Vec<Fate> {
    let seed = number("SEED").unwrap_or_else(|| u64::from_le_bytes(Environment::system().random()));
    let deaths = number("DEATHS").map_or(DEATHS, |deaths| usize::try_from(deaths).expect("a small number"));
    let points = undisturbed().await;
    tell(&format!("{what}: SEED={seed} DEATHS={deaths} among {} commits", points.len()));
    let rng = SeededRng::new(seed);
    let bound = |stretch: usize| points.len() * stretch / deaths;
    let choice = |stretch: usize| {
        let (from, to) = (bound(stretch), bound(stretch + 1));
        let within = random(&rng) % (to - from).max(1) as u64;
        let at = points[from + usize::try_from(within).expect("a small number")];
        Fate { at, side: if random(&rng).is_multiple_of(2) { Side::Before } else { Side::After } }
    };
    (0..deaths).map(choice).collect()
}

/// The places of the commits of a story in which nobody dies; it is played once for all tests.
async fn undisturbed() -> &'static [Point] {
    static POINTS: OnceCell<Vec<Point>> = OnceCell::const_new();
    POINTS.get_or_init(learn).await
}

async fn learn() -> Vec<Point> {
    let folder = tempfile::tempdir().expect("a folder");
    let arbiter = Arbiter::start().expect("it listens");
    let settings = format!("listen = \"127.0.0.1:{}\"\n", free_port());
    let mut place = Place::new(SERVER, folder.path(), "undisturbed", &settings, arbiter.path());
    place.start().await;
    arbiter.begin(Vec::new(), DOWNLOADED);
    play(&place.credentials()).await.expect("nobody dies");
    let commits = arbiter.commits();
    let downloaded = |entry: &Entry| entry.labels().any(|label| label == DOWNLOADED);
    let end =
        commits.iter().position(|(_, entry)| downloaded(entry)).expect("a download that is over is told");
    commits[..=end].iter().map(|(point, _)| *point).collect()
}

fn random(rng: &SeededRng) -> u64 {
    let mut bytes = [0; 8];
    rng.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
