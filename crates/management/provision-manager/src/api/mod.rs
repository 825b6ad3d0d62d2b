//! The REST interface of the Connector Fabric Manager's Provision Manager, v1alpha1.

mod activity_definitions;
mod guard;
mod orchestration_definitions;
mod orchestrations;

use std::sync::Arc;

use axum::Router;
use heddle_web::{Fabric, InFlight, Refused, Surface};

use crate::ProvisionManager;

/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Requests that are worked on at a time.
const REQUESTS_MAX: usize = 256;

type Outcome = Result<axum::response::Response, Refused<Fabric>>;

impl ProvisionManager {
    /// Every route, with its full path.
    pub fn router(self: &Arc<Self>) -> Router {
        let router = Router::new()
            .merge(activity_definitions::routes())
            .merge(orchestration_definitions::routes())
            .merge(orchestrations::routes())
            .with_state(self.clone());
        let surface = Surface::<Fabric>::new("provision-manager", self.environment.clone())
            .in_flight(InFlight::new(REQUESTS_MAX))
            .body_bytes_max(BODY_BYTES_MAX);
        Router::new().nest("/api/pm/v1alpha1", surface.finish(router))
    }
}
