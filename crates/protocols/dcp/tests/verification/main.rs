//! Everything that verifies, on tokens, credentials and lists that are really signed.

mod access_token;
mod common;
mod delivery;
mod demand;
mod presentation;
mod scope;
mod self_issued;
mod status;
mod trust;
