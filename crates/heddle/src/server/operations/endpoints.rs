//! `/health/…`, `/version`, `/metrics`.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use axum::{Router, response::IntoResponse, routing::get};
use heddle_store::Store;
use heddle_web::{
    Plain, Shutdown, Surface,
    health::{self, Check},
};
use http::{HeaderValue, header};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::server::foundation::Foundation;

/// Upper bounds of the latency histograms, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

struct DatabaseCheck(Store);

#[async_trait]
impl Check for DatabaseCheck {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| error.to_string())
    }
}

/// The routes of operations. Nobody needs to be authenticated; nothing secret is told.
pub fn routes(foundation: &Foundation, shutdown: Shutdown) -> Router {
    let checks: Vec<Arc<dyn Check>> = vec![Arc::new(DatabaseCheck(foundation.store.clone()))];
    let router = health::routes(checks, env!("CARGO_PKG_VERSION"), shutdown).route("/metrics", get(metrics));
    Surface::<Plain>::new("operations", foundation.environment.clone()).quiet().finish(router)
}

async fn metrics() -> impl IntoResponse {
    let text = recorder().map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"))], text)
}

/// The process's recorder: all servers of one process share it.
fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let install = || {
        let suffix = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(suffix, &SECONDS).ok()?;
        builder.install_recorder().ok()
    };
    HANDLE.get_or_init(install).as_ref()
}

/// Starts counting; what happened before is not counted.
pub fn start_metrics() {
    recorder();
}
