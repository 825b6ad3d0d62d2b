//! What whole stories need: servers of a test's own, and dataspaces with organisations on board.
//!
//! Only tests use this crate. Everything goes over the public APIs; the pieces are those of `heddle demo`.

mod dataspace;
mod server;

pub use dataspace::{Scene, client};
pub use server::{Server, postgres};
