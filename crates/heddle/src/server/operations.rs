//! What operators look at: health by dependency, version, metrics.

mod endpoints;
mod master_key;

pub use endpoints::{routes, start_metrics};
pub use master_key::{MasterKeysShown, RotationShown, routes as master_key_routes};
