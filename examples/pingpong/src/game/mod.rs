//! The aggregate, and the rules of the game. No HTTP, no database, no clock: functions that a test can call.

use std::borrow::Cow;

use heddle_store::{Aggregate, Columns, NewEvent};
use serde::{Deserialize, Serialize};

mod id;

pub use id::{GameId, InvalidGameId};

/// Type of the event that tells of a hit that came here.
pub const HIT: &str = "pingpong.hit";
/// Type of the event that tells that a game is over.
pub const OVER: &str = "pingpong.over";

/// What goes over the net: the counter, and the number at which the game ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The counter; the first hit of a game has number 1.
    pub number: u64,
    /// The number of the last hit.
    pub until: u64,
}

/// How far a game is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Stage {
    /// The ball is under way.
    Playing,
    /// The last hit has come here, or has been acknowledged by the other side.
    Over,
}

/// A game of one participant context, as one side sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Game {
    /// Its id.
    pub id: GameId,
    /// The number of the last hit that came here.
    pub counter: u64,
    /// How far it is.
    pub stage: Stage,
}

/// What the event [`HIT`] tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitTold {
    /// The counter.
    pub number: u64,
}

impl Hit {
    /// The hit that begins a game of `until` hits.
    #[must_use]
    pub const fn first(until: u64) -> Self {
        Self { number: 1, until }
    }

    /// The hit that goes back; none after the last.
    #[must_use]
    pub fn back(self) -> Option<Self> {
        (self.number < self.until).then_some(Self { number: self.number + 1, ..self })
    }

    /// Whether there can be such a hit.
    #[must_use]
    pub const fn is_legal(self) -> bool {
        1 <= self.number && self.number <= self.until
    }

    /// What makes this hit the same when it is delivered again: the `Idempotency-Key` that it goes out under.
    #[must_use]
    pub fn key(self, game: &GameId) -> String {
        format!("{game}/{}", self.number)
    }
}

impl Game {
    /// The game as it is after `hit` came here, whether it is the first one or not.
    #[must_use]
    pub fn after(id: GameId, hit: Hit) -> Self {
        let stage = if hit.back().is_some() { Stage::Playing } else { Stage::Over };
        Self { id, counter: hit.number, stage }
    }

    /// The game as it is when the other side has taken the last hit.
    #[must_use]
    pub fn over(self) -> Self {
        Self { stage: Stage::Over, ..self }
    }

    /// Tells of the hit that came here last.
    #[must_use]
    pub fn hit_told(&self) -> NewEvent {
        NewEvent::new(HIT, self.id.as_str(), &HitTold { number: self.counter })
    }

    /// Tells that it is over.
    #[must_use]
    pub fn over_told(&self) -> NewEvent {
        NewEvent::new(OVER, self.id.as_str(), self)
    }
}

impl Aggregate for Game {
    const KIND: &'static str = "pingpong-game";

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn columns(&self) -> Columns {
        let state = match self.stage {
            Stage::Playing => "PLAYING",
            Stage::Over => "OVER",
        };
        Columns { state: Some(Cow::Borrowed(state)), ..Columns::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_goes_up_until_the_last_hit() {
        let mut hit = Hit::first(3);
        let mut numbers = vec![hit.number];
        while let Some(back) = hit.back() {
            hit = back;
            numbers.push(hit.number);
        }
        assert_eq!(numbers, [1, 2, 3]);
        assert!(Hit { number: 3, until: 3 }.is_legal());
        assert!(!Hit { number: 0, until: 3 }.is_legal() && !Hit { number: 4, until: 3 }.is_legal());
    }

    #[test]
    fn a_game_is_over_with_the_last_hit() {
        let id: GameId = "final".parse().expect("legal");
        let stage = |number| Game::after(id.clone(), Hit { number, until: 3 }).stage;
        assert_eq!([stage(1), stage(2), stage(3)], [Stage::Playing, Stage::Playing, Stage::Over]);
    }
}
