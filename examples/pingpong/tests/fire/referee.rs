//! Begins the games, sees them end, and says whether all was right: by the events of both sides and by their games.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::future::join_all;
use heddle_ids::ParticipantContextId;
use heddle_pingpong::{
    game::{Game, GameId, HIT, Hit, HitTold, OVER, Stage},
    umpire::{Feed, Told, Umpire},
};

/// How many participant contexts play; each has one game.
const CONTEXTS: u64 = 50;
/// How many hits each game has: requests that went over the net and were answered.
const HITS: u64 = 200;
/// The hit that marks the end of the events, when a game is over.
const MARK: Hit = Hit { number: HITS + 1, until: HITS + 2 };
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
    /// sides' games have come to their end. Two more hits, one begun at either side, mark where the events end. As the
    /// jobs of a game run in their order, no job is left when their answers are there.
    pub async fn look_at_all(&self) {
        for index in 0..CONTEXTS {
            for (side, umpire) in self.umpires.iter().enumerate() {
                let seen = umpire.game(&context(index), &game("rally")).await.expect("it is there");
                let counter = *half(index, side).last().expect("there are hits");
                assert_eq!(seen, Game { id: game("rally"), counter, stage: Stage::Over });
            }
            for umpire in &self.umpires {
                let begun = umpire.hit(&context(index), &game("rally"), MARK).await;
                begun.expect("a hit can be made");
            }
            let mut halves = Vec::new();
            for (side, umpire) in self.umpires.iter().enumerate() {
                let (hits, marks) = told(&mut umpire.follow(&context(index))).await;
                assert_eq!(hits, half(index, side), "the hits of {} at side {side}", context(index));
                assert_eq!(marks, [HITS + 1, HITS + 2], "behind those of {} at side {side}", context(index));
                halves.extend(hits);
            }
            halves.sort_unstable();
            assert!(halves.into_iter().eq(1..=HITS), "both sides agree about {}", context(index));
        }
    }
}

/// The numbers of the hits that one side told: those of the game, in the order in which they came, and the marks behind
/// them, sorted. The game is over once, behind all of its hits; each mark is over at the side that began it, and at the
/// other one.
async fn told(feed: &mut Feed) -> (Vec<u64>, Vec<u64>) {
    let (mut numbers, mut ends) = (Vec::new(), Vec::new());
    while ends.len() < 3 {
        let told = next(feed).await;
        match told.kind.as_str() {
            HIT => numbers.push(number(&told)),
            OVER => ends.push(numbers.len()),
            other => panic!("nobody emits {other}"),
        }
    }
    let mut marks = numbers.split_off(ends[0]);
    marks.sort_unstable();
    (numbers, marks)
}

/// The numbers of the hits that come to one side.
fn half(index: u64, side: usize) -> Vec<u64> {
    let begins = if side == beginner(index) { 1 } else { 2 };
    (begins..=HITS).step_by(2).collect()
}

async fn next(feed: &mut Feed) -> Told {
    match tokio::time::timeout(PATIENCE, feed.next()).await {
        Ok(told) => told.expect("a feed can be followed"),
        Err(_) => panic!("the ball is lost: nothing came for {} s from {}", PATIENCE.as_secs(), feed.url()),
    }
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
