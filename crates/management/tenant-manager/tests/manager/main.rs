//! The Tenant Manager over a real database: its REST interface, its event feed, and its jobs.

mod access;
mod dataspaces;
mod feed;
mod idempotency;
mod profiles;
mod provisioning;
mod responses;
mod server;
mod tenants;
mod world;
