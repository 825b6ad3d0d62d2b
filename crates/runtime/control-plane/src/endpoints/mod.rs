//! The surface for peers (Dataspace Protocol) and for data planes (Data Plane Signaling).

mod catalog;
mod errors;
mod negotiation;
mod signaling;
mod transfer;
mod version;

use std::sync::Arc;

use axum::Router;
use heddle_ids::{ParticipantContextId, ProfileName};
use heddle_web::{InFlight, Plain, Surface};
use http::{HeaderMap, header};

use crate::{ControlPlane, parts::Addressed};
use errors::{CatalogSurface, NegotiationSurface, Refusal, TransferSurface};

/// Largest message that is read, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most requests at a time on each protocol surface. Each has its own places: a request waits for presentations
/// that are asked for on other surfaces of the same listener.
const IN_FLIGHT_MAX: usize = 512;

impl ControlPlane {
    /// Every route: Management API, Dataspace Protocol, signals of data planes.
    pub fn router(self: &Arc<Self>) -> Router {
        let environment = || self.environment.clone();
        let versions = Surface::<Plain>::new("dsp-version", environment())
            .in_flight(InFlight::new(IN_FLIGHT_MAX))
            .finish(version::routes().with_state(self.clone()));
        let catalogs = Surface::<CatalogSurface>::new("dsp-catalog", environment())
            .in_flight(InFlight::new(IN_FLIGHT_MAX))
            .body_bytes_max(BODY_BYTES_MAX)
            .finish(catalog::routes().with_state(self.clone()));
        let negotiations = Surface::<NegotiationSurface>::new("dsp-negotiation", environment())
            .in_flight(InFlight::new(IN_FLIGHT_MAX))
            .body_bytes_max(BODY_BYTES_MAX)
            .finish(negotiation::routes().with_state(self.clone()));
        let transfers = Surface::<TransferSurface>::new("dsp-transfer", environment())
            .in_flight(InFlight::new(IN_FLIGHT_MAX))
            .body_bytes_max(BODY_BYTES_MAX)
            .finish(transfer::routes().with_state(self.clone()));
        let signals = Surface::<Plain>::new("signaling", environment())
            .in_flight(InFlight::new(IN_FLIGHT_MAX))
            .body_bytes_max(BODY_BYTES_MAX)
            .finish(signaling::routes().with_state(self.clone()));
        Router::new()
            .nest("/api/dsp/{context}/.well-known", versions)
            .nest("/api/dsp/{context}/{profile}/catalog", catalogs)
            .nest("/api/dsp/{context}/{profile}/negotiations", negotiations)
            .nest("/api/dsp/{context}/{profile}/transfers", transfers)
            .nest("/api/signaling/{context}", signals)
            .merge(crate::api::router(self))
    }
}

/// Whom the path addresses; nobody is the same as nothing.
async fn address(
    plane: &ControlPlane,
    context: &ParticipantContextId,
    profile: &ProfileName,
) -> Result<Addressed, Refusal> {
    plane.addressed(context, profile).await?.ok_or_else(Refusal::not_found)
}

/// The Authorization header, verbatim, if there is exactly one.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
