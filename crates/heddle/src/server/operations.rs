//! What operators look at: health by dependency, version, metrics.

mod endpoints;

pub use endpoints::{routes, start_metrics};
