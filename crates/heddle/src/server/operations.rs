//! What operators look at: health by dependency, version, metrics.

mod checks;
mod endpoints;
mod master_key;
mod process;
mod recorder;

pub use endpoints::routes;
pub use master_key::{MasterKeysShown, RotationShown, routes as master_key_routes};
pub use recorder::{metrics_text, start_metrics, tidy_metrics};
