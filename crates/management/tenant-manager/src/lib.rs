//! The Tenant Manager: who is a tenant, which dataspaces there are, and which identities tenants have in them.
//!
//! It decides and records; provisioning is the Provision Manager's. The two exchange jobs:
//!
//! ```text
//! POST participant-profiles ──▶ provision.manifest ──▶ (Provision Manager) ──▶ provision.response ──▶ active | error
//! DELETE                    ──▶ provision.manifest ──▶ (Provision Manager) ──▶ provision.response ──▶ disposed | error
//! ```
//!
//! `deployment` places an order, `manifest` says it to the Provision Manager and `response` applies its answer, all as
//! pure functions; `profiles` and `tenants` store what they decide; `api` is the REST interface of the Connector Fabric
//! Manager's Tenant Manager (v1alpha1), with an event feed beside it. Tenants and their participant profiles belong to
//! the tenant; cells and dataspace profiles to the installation.
//!
//! # How to add a resource
//!
//! An aggregate in `model`, a file with its routes and wire structs in `api`, and a line in `api::router`. A handler's
//! first argument after the state is its guard: without one there is no scope to open the store with.
//!
//! Deliberately absent: queries (`…/query`), users and their roles, what provisioning does.

mod api;
mod deployment;
mod error;
mod events;
mod jobs;
mod manager;
mod manifest;
mod model;
mod profiles;
mod response;
mod tenants;

pub use manager::{Parts, TenantManager};
