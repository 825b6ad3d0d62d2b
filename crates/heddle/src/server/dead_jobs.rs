//! Jobs that were set aside: what an operator, and a participant for its own, sees of them and does with them.
//!
//! A job is set aside when it cannot succeed, or has failed as often as it may. Whoever has mended the cause replays it:
//! it runs once more, behind what waits under its order key. Both ways of ending it are in the audit log, and can be
//! repeated: what is not set aside (any more) is left alone.
//!
//! Deliberately absent: what jobs carry. An operator sees no participant's contents, and a payload may hold some.

mod endpoints;
mod guard;
mod settle;

pub use endpoints::routes;
