//! The Identity API: participants, DIDs, key pairs, credentials and requests for them. It only converts.

mod credentials;
mod dids;
mod events;
mod guard;
mod offers;
mod participants;
mod requests;
mod resource;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, post, put},
};
use heddle_web::{InFlight, Management, Surface};

use crate::CredentialService;

/// Requests that the Identity API works on at a time.
const REQUESTS_MAX: usize = 256;
/// Versions that are served; the older one by clients of earlier releases of other implementations.
const VERSIONS: [&str; 2] = ["v1beta", "v1alpha"];

/// The routes of the Identity API, with their full paths.
pub(crate) fn router(service: &Arc<CredentialService>) -> Router {
    let in_flight = InFlight::new(REQUESTS_MAX);
    VERSIONS.iter().fold(Router::new(), |whole, version| {
        let api = Surface::<Management>::new("identity", service.environment.clone())
            .in_flight(in_flight.clone())
            .finish(routes().with_state(service.clone()));
        whole.nest(&format!("/api/identity/{version}"), api)
    })
}

fn routes() -> Router<Arc<CredentialService>> {
    let one = Router::new()
        .route("/", get(participants::show).delete(participants::remove))
        .route("/state", post(participants::activate))
        .route("/settings", put(participants::set))
        .route("/keypairs", get(dids::key_pairs))
        .route("/keypairs/{id}", get(dids::key_pair))
        .route("/dids/state", post(dids::state))
        .route("/dids/query", post(dids::query))
        .route("/credentials", get(credentials::list))
        .route("/credentials/request", post(requests::create))
        .route("/credentials/request/{pid}", get(requests::show))
        .route("/credentials/offers", get(offers::list))
        .route("/credentials/offers/{id}", delete(offers::remove))
        .route("/credentials/{id}", get(credentials::show).delete(credentials::remove))
        .route("/events", get(events::follow));
    Router::new()
        .route("/participants", get(participants::list).post(participants::create))
        .route("/participants/", get(participants::list).post(participants::create))
        .nest("/participants/{context}", one)
}
