//! The Provision Manager: runs orchestrations.
//!
//! An orchestration is a graph of activities that is kept in the store. [`engine`] decides, as pure functions, what
//! follows from a manifest and from each report of an agent; `orchestrating` stores that together with the jobs that do it;
//! `api` is the REST interface of the Connector Fabric Manager's Provision Manager (v1alpha1).
//!
//! ```text
//! manifest ──▶ provision.manifest ──▶ activity.<type> ──▶ (an agent) ──▶ orchestration.advance ──▶ …
//!                                                                              └─▶ provision.response
//! ```
//!
//! Deliberately absent: what activities do (agents), what tenants are (the Tenant Manager), polling.

pub mod engine;

mod api;
mod jobs;
mod manager;
mod manifest;
mod orchestrating;

pub use jobs::{MANIFEST, RESPONSE};
pub use manager::{Parts, ProvisionManager};
pub use manifest::{OrchestrationManifest, OrchestrationResponse};
