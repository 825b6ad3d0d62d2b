//! Heddle: dataspace participation as a managed service, in one binary.
//!
//! This crate is the composition root: it reads the configuration, opens the foundation, builds the roles and
//! wires them ([`server`]); and it holds the command line's clients of a running server ([`demo`], [`status`]).
//! The only place that mints a `ScopeIssuer`.

pub mod config;
