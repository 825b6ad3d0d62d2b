//! The Tenant Manager: who is a tenant, which dataspaces there are, and which identities tenants have in them.
//!
//! It decides and records; provisioning is the Provision Manager's. The two exchange jobs:
//!
//! ```text
//! POST participant-profiles ──▶ provision.manifest ──▶ (Provision Manager) ──▶ provision.response ──▶ active | error
//! ```
//!
//! The REST interface is the one of the Connector Fabric Manager's Tenant Manager (v1alpha1), with an event feed beside
//! it. Tenants and their participant profiles belong to the tenant; cells and dataspace profiles to the installation.
//!
//! Deliberately absent: queries (`…/query`), users and their roles, the placing of runtimes.

mod api;
mod deployment;
mod jobs;
mod manager;
mod model;

pub use manager::{Parts, TenantManager};
