//! A data plane through its router, over SQLite, with a control plane and an origin beside it.

mod data;
mod origins;
mod pull;
mod removal;
mod replicas;
mod signals;
mod sources;
mod support;
