//! The listeners of a running server: what each answers, its certificates, its places, and its end.

mod client;
mod draining;
mod groups;
mod places;
mod secure;
mod server;
