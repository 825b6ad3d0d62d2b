//! A server that dies of SIGKILL at a commit of one's choice.
//!
//! [`Dying`] stands in front of the real database, in a binary that only tests have. It numbers the commits, writes
//! one line about each into a journal outside of the data directory, and kills its own process at the chosen one:
//! before the database has seen it, or after the database has acknowledged it and before the caller knows.
//! [`House`] keeps the data directory of such a server from one life to the next.

mod database;
mod doom;
mod house;
mod journal;

pub use database::Dying;
pub use doom::{Doom, Moment, Side};
pub use house::{House, Life};
pub use journal::{Aggregate, Entry, Journal, read};
