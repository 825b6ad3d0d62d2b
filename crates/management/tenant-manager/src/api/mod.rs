//! The REST interface of the Connector Fabric Manager's Tenant Manager, v1alpha1, and a feed of events.
//!
//! Deliberately absent: `…/query`, updating or undeploying cells and dataspace profiles.

mod cells;
mod dataspace_profiles;
mod deployments;
mod events;
mod guard;
mod paging;
mod participant_profiles;
mod tenants;
mod wire;

use std::sync::Arc;

use axum::Router;
use heddle_web::{Fabric, InFlight, Kind, Refused, Rejection, Surface};

use crate::{TenantManager, deployment::CannotDeploy, error::Refusal};

/// The path of everything here.
const BASE: &str = "/api/tm/v1alpha1";
/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Requests that are worked on at a time.
const REQUESTS_MAX: usize = 256;

type Outcome = Result<axum::response::Response, Refused<Fabric>>;

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::CannotDeploy(CannotDeploy::NoProfile | CannotDeploy::UnknownProfile(_)) => {
                Self::invalid("/dataspaceProfileIds", sentence)
            }
            Refusal::CannotDeploy(_) => Self::invalid("/cellId", sentence),
            Refusal::HasParticipants => Self::new(Kind::Invalid, sentence),
            Refusal::IdentifierTaken(_) | Refusal::NotActive(_) | Refusal::TenantClosing => {
                Self::new(Kind::Conflict, sentence)
            }
            Refusal::NotFound => Self::new(Kind::NotFound, sentence),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for Refused<Fabric> {
    fn from(refusal: Refusal) -> Self {
        Rejection::from(refusal).into()
    }
}

impl TenantManager {
    /// Every route, with its full path.
    pub fn router(self: &Arc<Self>) -> Router {
        let router = Router::new()
            .merge(tenants::routes())
            .merge(participant_profiles::routes())
            .merge(cells::routes())
            .merge(dataspace_profiles::routes())
            .merge(deployments::routes())
            .merge(events::routes())
            .with_state(self.clone());
        let surface = Surface::<Fabric>::new("tenant-manager", self.environment.clone())
            .in_flight(InFlight::new(REQUESTS_MAX))
            .body_bytes_max(BODY_BYTES_MAX);
        Router::new().nest(BASE, surface.finish(router))
    }
}
