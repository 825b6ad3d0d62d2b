//! What whole stories need: servers of a test's own, dataspaces, and the parties that act there.
//!
//! Only tests use this crate. Everything goes over the public APIs; the pieces are those of `heddle demo`.
//!
//! A [`Server`] runs; a [`Scene`] is a dataspace on it; [`Scene::onboard`] gives a [`Party`], which publishes,
//! negotiates, transfers, steers and hears of what happens. A [`Market`] is all of that with two parties. Whoever wants
//! to see a refusal gets a whole [`Answer`]; a [`Key`] opens a flow.

mod answer;
mod asking;
mod boarding;
mod census;
pub mod dying;
pub mod fire;
mod flow;
pub mod keycloak;
mod market;
mod party;
mod play;
mod scene;
mod seen;
mod server;

pub use answer::{Answer, answer_to};
pub use asking::Ended;
pub use boarding::onboard_in;
pub use census::Census;
pub use flow::{Fetched, Key};
pub use market::Market;
pub use party::{Party, made_up_offer};
pub use play::play;
pub use scene::{Scene, client};
pub use seen::Seen;
pub use server::{Server, postgres};
