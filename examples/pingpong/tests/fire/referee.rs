//! Begins the games, sees them end, and says whether all was right: by the events of both sides and by their games.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::future::join_all;
use heddle_ids::ParticipantContextId;
use heddle_pingpong::{
    game::{Game, GameId, HIT, HitTold, OVER, Stage},
    umpire::{Feed, Told, Umpire},
};

/// How many participant contexts play; each has one game.
const CONTEXTS: u64 = 50;
/// How many hits each game has.
const HITS: u64 = 200;
/// How long no event may come before the ball counts as lost: longer than the longest wait between two attempts.
const PATIENCE: Duration = Duration::from_secs(150);

/// Something that happens to everybody in the middle of the games. It may block.
pub type Blow = Box<dyn FnOnce() + Send>;

/// Watches both sides.
pub struct Referee {
    umpires: [Umpire; 2],
    blows: Mutex<Vec<Blow>>,
}

impl Referee {
    /// With `blows` that are dealt out evenly over the length of the games.
    pub fn new(umpires: [Umpire; 2], blows: Vec<Blow>) -> Self {
        Self { umpires, blows: Mutex::new(blows) }
    }

    /// Begins one game in every context, half of them at either side.
    pub async fn begin_all(&self) {
        let begun = (0..CONTEXTS).map(|index| async move {
            let begun = self.umpires[beginner(index)].begin(&context(index), &game("rally"), HITS).await;
            begun.expect("a game can be begun");
        });
        join_all(begun).await;
    }

    /// Returns when all games are over at both sides.
    pub async fn watch_all(&self) {
        let blows = std::mem::take(&mut *self.blows.lock().unwrap_or_else(PoisonError::into_inner));
        let parts = blows.len() as u64 + 1;
        // The first game has begun with the others and goes on beside them: its events say how far all are.
        let mut feed = self.umpires[0].follow(&context(0));
        for (part, blow) in (1..).zip(blows) {
            while number(&next(&mut feed).await) < HITS * part / parts {}
            tokio::task::spawn_blocking(blow).await.expect("it is dealt");
        }
        for index in 0..CONTEXTS {
            for umpire in &self.umpires {
                let mut feed = umpire.follow(&context(index));
                while next(&mut feed).await.kind != OVER {}
            }
        }
    }

    /// Looks at everything: each side's events are its half of the counter, each number once and in order, and both
    /// sides' games have come to their end. A last game of one hit marks where the events end.
    pub async fn look_at_all(&self) {
        for index in 0..CONTEXTS {
            let mut halves = Vec::new();
            for (side, umpire) in self.umpires.iter().enumerate() {
                umpire.begin(&context(index), &game("closing"), 1).await.expect("a game can be begun");
                let numbers = numbers(&mut umpire.follow(&context(index))).await;
                let begins = if side == beginner(index) { 1 } else { 2 };
                let expected: Vec<u64> = (begins..=HITS).step_by(2).collect();
                assert_eq!(numbers, expected, "the hits of {} at side {side}", context(index));
                let seen = umpire.game(&context(index), &game("rally")).await.expect("it is there");
                let counter = *expected.last().expect("there are hits");
                assert_eq!(seen, Game { id: game("rally"), counter, stage: Stage::Over });
                halves.extend(numbers);
            }
            halves.sort_unstable();
            assert!(halves.into_iter().eq(1..=HITS), "both sides agree about {}", context(index));
        }
    }
}

/// The numbers of the hits of the rally, in the order in which they were told, up to the end of the closing game; the
/// rally is over once, and after all of them.
async fn numbers(feed: &mut Feed) -> Vec<u64> {
    let (mut numbers, mut ends) = (Vec::new(), Vec::new());
    loop {
        let told = next(feed).await;
        match (told.subject.as_str(), told.kind.as_str()) {
            ("closing", OVER) => break,
            ("rally", HIT) => numbers.push(number(&told)),
            ("rally", OVER) => ends.push(numbers.len()),
            _ => {}
        }
    }
    assert_eq!(ends, [numbers.len()], "the rally is over once, behind its last hit");
    numbers
}

async fn next(feed: &mut Feed) -> Told {
    let told = tokio::time::timeout(PATIENCE, feed.next()).await;
    told.unwrap_or_else(|_| panic!("the ball is lost: {feed:?}")).expect("a feed can be followed")
}

/// The counter that an event tells; that a game is over is behind every hit.
fn number(told: &Told) -> u64 {
    if told.kind == OVER {
        return HITS;
    }
    serde_json::from_str::<HitTold>(told.payload.get()).expect("it tells a hit").number
}

fn beginner(index: u64) -> usize {
    usize::from(index % 2 == 1)
}

fn context(index: u64) -> ParticipantContextId {
    ParticipantContextId::parse(format!("player-{index}")).expect("legal")
}

fn game(id: &str) -> GameId {
    id.parse().expect("legal")
}
