//! The crate over real sockets.

mod draining;
mod identified;
mod repeating;
mod secure;
mod serving;
mod slow;
mod support;
mod surface;
