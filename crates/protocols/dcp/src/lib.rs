//! The Decentralized Claims Protocol 1.0 as pure functions.
pub mod issuance;
pub mod wire;
