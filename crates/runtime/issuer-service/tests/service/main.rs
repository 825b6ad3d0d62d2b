//! The issuer service over HTTP: its Administration API, its DCP endpoints, and the holders that it delivers to.

mod admin;
mod call;
mod definitions;
mod fixtures;
mod holder;
mod issuance;
mod recovery;
mod removal;
mod requests;
mod revocation;
mod statuses;
mod support;
mod tokens;
