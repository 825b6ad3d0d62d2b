//! Time and chance as arguments.
//!
//! Logic never reads the wall clock and never draws a random number by itself: it is given a
//! [`Timestamp`], or an [`Environment`] where it runs. So a simulation can replay a run from its seed.
//! `clippy.toml` bans the ambient sources everywhere else.
//!
//! Deliberately absent: timers and sleeping (those belong to the async runtime), time zones (all is UTC).

mod environment;
mod timestamp;

pub use environment::{Clock, Environment, FixedClock, Rng, SeededRng, SystemClock, SystemRng};
pub use timestamp::{InvalidTimestamp, Timestamp};
