//! Heddle: dataspace participation as a managed service, in one binary.
//!
//! This crate is the composition root: it reads the configuration ([`config`]), opens the foundation, builds the
//! roles and wires them ([`server`]); and it holds the command line ([`cli`]) and the story that shows the main
//! job ([`demo`]), a client of a server's public APIs. The only place that mints a `ScopeIssuer`.

pub mod cli;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod greeting;
pub mod home;
pub mod server;
pub mod telemetry;
