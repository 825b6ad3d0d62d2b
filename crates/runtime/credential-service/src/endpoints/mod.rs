//! The surfaces for peers: the credential service of DCP 1.0, DID documents, the token service for self-issued
//! tokens. They only convert; nobody here is known before a token was verified.

mod credentials;
mod did;
mod offers;
mod presentations;
mod prove;
mod sts;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{any, post},
};
use heddle_dcp::wire::MESSAGE_BYTES_MAX;
use heddle_web::{InFlight, Management, Plain, Surface};

use crate::{CredentialService, api};

/// Requests that the credential service works on at a time.
const REQUESTS_MAX: usize = 512;
/// Largest form of the token service, in bytes.
const FORM_BYTES_MAX: usize = 16 * 1024;

impl CredentialService {
    /// Every route with its full path, but DID documents: Identity API, DCP, secure token service.
    pub fn router(self: &Arc<Self>) -> Router {
        router(self).merge(api::router(self))
    }

    /// DID documents at any path that ends in `/did.json`; everything else is not found. Meant as the fallback
    /// of the whole server, since a did:web may name any path:
    /// `router.fallback_service(service.did_documents())`.
    pub fn did_documents(self: &Arc<Self>) -> Router {
        did_documents(self)
    }
}

/// The routes for peers, with their full paths.
fn router(service: &Arc<CredentialService>) -> Router {
    let environment = || service.environment.clone();
    let dcp = Router::new()
        .route("/presentations/query", post(presentations::query))
        .route("/credentials", post(credentials::store))
        .route("/offers", post(offers::offer))
        .with_state(service.clone());
    let dcp = Surface::<Management>::new("credentials", environment())
        .in_flight(InFlight::new(REQUESTS_MAX))
        .body_bytes_max(MESSAGE_BYTES_MAX)
        .finish(dcp);
    let sts = Router::new()
        .route("/token", post(sts::token).layer(DefaultBodyLimit::max(FORM_BYTES_MAX)))
        .with_state(service.clone());
    let sts = Surface::<Plain>::new("sts", environment()).in_flight(InFlight::new(REQUESTS_MAX)).finish(sts);
    Router::new().nest("/api/credentials/v1/participants/{context}", dcp).nest("/api/sts", sts)
}

/// DID documents at any path that ends in `/did.json`; everything else is not found.
fn did_documents(service: &Arc<CredentialService>) -> Router {
    let documents = Router::new().route("/{*path}", any(did::document)).with_state(service.clone());
    Surface::<Plain>::new("did", service.environment.clone())
        .in_flight(InFlight::new(REQUESTS_MAX))
        .finish(documents)
}
