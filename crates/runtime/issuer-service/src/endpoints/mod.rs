//! The surfaces for peers: the issuer service of DCP 1.0 §6, and status lists. They only convert; nobody here is
//! known before a token was verified.

mod credentials;
mod metadata;
mod prove;
mod requests;
mod status_lists;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use heddle_web::{InFlight, Management, Plain, Surface};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use crate::{IssuerService, api};

/// Requests that each of the surfaces works on at a time.
const REQUESTS_MAX: usize = 512;
/// Largest request message, in bytes: a hundred ids.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Versions that are served; the older one for clients of earlier releases of other implementations.
const VERSIONS: [&str; 2] = ["v1beta", "v1alpha"];

/// What stands in a path segment as it is.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl IssuerService {
    /// Every route with its full path: Issuer Admin API, DCP, status lists.
    pub fn router(self: &Arc<Self>) -> Router {
        router(self).merge(api::router(self))
    }
}

/// The routes for peers, with their full paths.
fn router(service: &Arc<IssuerService>) -> Router {
    let environment = || service.parts.environment.clone();
    let in_flight = InFlight::new(REQUESTS_MAX);
    let lists = Router::new().route("/{id}", get(status_lists::show)).with_state(service.clone());
    let lists = Surface::<Plain>::new("status-list", environment())
        .in_flight(InFlight::new(REQUESTS_MAX))
        .finish(lists);
    VERSIONS.iter().fold(Router::new().nest("/statuslist", lists), |whole, version| {
        let dcp = Router::new()
            .route("/credentials", post(credentials::request))
            .route("/metadata", get(metadata::show))
            .route("/requests/{id}", get(requests::status))
            .route("/schemas/{definition}", get(metadata::schema))
            .with_state(service.clone());
        let dcp = Surface::<Management>::new("issuance", environment())
            .in_flight(in_flight.clone())
            .body_bytes_max(MESSAGE_BYTES_MAX)
            .finish(dcp);
        whole.nest(&format!("/api/issuance/{version}/participants/{{context}}"), dcp)
    })
}
