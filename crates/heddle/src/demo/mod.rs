//! The main job as a story: two organisations, a policy, a file.
//!
//! A client of the public APIs alone. Every creating request carries an idempotency key that is fixed for the
//! step, and is repeated with the same key while a server is away; every wait ends on an event of a feed. So
//! a story goes on from where it was when a server dies in the middle of it.

pub mod client;
pub mod content;
pub mod feed;
pub mod founding;
pub mod management;
pub mod onboarding;
pub mod publishing;
pub mod report;
pub mod sharing;
mod story;

pub use client::{Client, ClientError};
pub use report::{Failure, Report, Step};
pub use story::{Options, Parties, Place, run};
