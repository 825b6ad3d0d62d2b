//! What whole stories need: servers of a test's own, and dataspaces with organisations on board.
//!
//! Only tests use this crate. Everything goes over the public APIs; the pieces are those of `heddle demo`.

mod boarding;
mod dataspace;
pub mod dying;
mod exchange;
mod flowing;
mod lasting;
mod server;
mod trade;

pub use boarding::{onboard_in, under, wallet};
pub use dataspace::{Scene, client};
pub use exchange::{Answer, Peer, post};
pub use flowing::{Edr, Flowing};
pub use lasting::Lasting;
pub use server::{Server, postgres};
pub use trade::{Fetched, Key, Party, answer_to, made_up_offer};
