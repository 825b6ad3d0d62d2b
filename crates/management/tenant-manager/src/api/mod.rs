//! The REST interface of the Connector Fabric Manager's Tenant Manager, v1alpha1, and a feed of events.

mod cells;
mod dataspace_profiles;
mod events;
mod guard;
mod participant_profiles;
mod tenants;

use std::sync::Arc;

use axum::Router;
use heddle_store::Loaded;
use heddle_web::{Fabric, InFlight, Kind, Refused, Rejection, Surface};
use serde::Serialize;

use crate::TenantManager;

/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Requests that are worked on at a time.
const REQUESTS_MAX: usize = 256;

type Outcome = Result<axum::response::Response, Refused<Fabric>>;

/// What is kept, with its version.
#[derive(Debug, Serialize)]
struct Versioned<'a, T> {
    version: u64,
    #[serde(flatten)]
    value: &'a T,
}

fn versioned<T: heddle_store::Aggregate>(loaded: &Loaded<T>) -> Versioned<'_, T> {
    Versioned { version: loaded.version(), value: loaded.value() }
}

/// What was just created.
fn fresh<T>(value: &T) -> Versioned<'_, T> {
    Versioned { version: 1, value }
}

fn missing() -> Rejection {
    Rejection::new(Kind::NotFound, "Not found")
}

impl TenantManager {
    /// Every route, with its full path.
    pub fn router(self: &Arc<Self>) -> Router {
        let router = Router::new()
            .merge(cells::routes())
            .merge(dataspace_profiles::routes())
            .merge(events::routes())
            .merge(participant_profiles::routes())
            .merge(tenants::routes())
            .with_state(self.clone());
        let surface = Surface::<Fabric>::new("tenant-manager", self.environment.clone())
            .in_flight(InFlight::new(REQUESTS_MAX))
            .body_bytes_max(BODY_BYTES_MAX);
        Router::new().nest("/api/tm/v1alpha1", surface.finish(router))
    }
}
