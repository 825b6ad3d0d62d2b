//! The Issuer Admin API: holders, attestations and their records, credential definitions, issued credentials,
//! issuance processes, the end of an issuer. It only converts.

mod attestations;
mod credentials;
mod definitions;
mod guard;
mod holders;
mod issuers;
mod processes;
mod query;
mod records;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post, put},
};
use heddle_web::{InFlight, Management, Surface};

use crate::IssuerService;

/// Requests that the Issuer Admin API works on at a time.
const REQUESTS_MAX: usize = 256;
/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Versions that are served; the older one for clients of earlier releases of other implementations.
const VERSIONS: [&str; 2] = ["v1beta", "v1alpha"];

/// The routes of the Issuer Admin API, with their full paths.
pub(crate) fn router(service: &Arc<IssuerService>) -> Router {
    let in_flight = InFlight::new(REQUESTS_MAX);
    VERSIONS.iter().fold(Router::new(), |whole, version| {
        let api = Surface::<Management>::new("issuer-admin", service.parts.environment.clone())
            .in_flight(in_flight.clone())
            .body_bytes_max(BODY_BYTES_MAX)
            .finish(routes().with_state(service.clone()));
        whole.nest(&format!("/api/admin/{version}/participants/{{context}}"), api)
    })
}

fn routes() -> Router<Arc<IssuerService>> {
    Router::new()
        .route("/", delete(issuers::remove))
        .route("/holders", post(holders::create).put(holders::update))
        .route("/holders/query", post(holders::query))
        .route("/holders/{id}", get(holders::show).delete(holders::remove))
        .route("/attestations", post(attestations::create))
        .route("/attestations/query", post(attestations::query))
        .route("/attestations/{id}", delete(attestations::remove))
        .route(
            "/attestations/{id}/records/{holder}",
            put(records::write).get(records::show).delete(records::remove),
        )
        .route("/credentialdefinitions", post(definitions::create).put(definitions::update))
        .route("/credentialdefinitions/query", post(definitions::query))
        .route("/credentialdefinitions/{id}", get(definitions::show).delete(definitions::remove))
        .route("/credentials/query", post(credentials::query))
        .route("/credentials/{id}/revoke", post(credentials::revoke))
        .route("/credentials/{id}/status", get(credentials::status))
        .route("/issuanceprocesses/query", post(processes::query))
        .route("/issuanceprocesses/{id}", get(processes::show))
}
