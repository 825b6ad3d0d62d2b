//! The crate over real sockets.

mod repeating;
mod serving;
mod support;
mod surface;
