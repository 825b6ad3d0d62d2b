//! `/health/…`, `/version`, `/metrics`.

use axum::{Router, response::IntoResponse, routing::get};
use heddle_web::{Plain, Shutdown, Surface, health};
use http::{HeaderValue, header};

use super::{checks, recorder::metrics_text};
use crate::{config::Configuration, server::foundation::Foundation};

/// The routes of operations. Nobody needs to be authenticated; nothing secret is told.
pub fn routes(configuration: &Configuration, foundation: &Foundation, shutdown: Shutdown) -> Router {
    let checks = checks::all(configuration, foundation);
    let router = health::routes(checks, env!("CARGO_PKG_VERSION"), shutdown).route("/metrics", get(metrics));
    Surface::<Plain>::new("operations", foundation.environment.clone()).quiet().finish(router)
}

async fn metrics() -> impl IntoResponse {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4");
    ([(header::CONTENT_TYPE, content_type)], metrics_text())
}
