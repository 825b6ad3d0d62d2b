//! Whether a process lives, has started, and can do its work; and which version it is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, extract::State, response::Response, routing::get};
use http::StatusCode;
use serde::Serialize;

use crate::{Shutdown, reply};

/// Longest time that one check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// Something that must work for this process to do its work.
#[async_trait]
pub trait Check: Send + Sync {
    /// Its name, such as `database`.
    fn name(&self) -> &'static str;
    /// Whether this process is of no use without it. One that is not essential is shown, and does not make the
    /// process unready.
    fn is_essential(&self) -> bool {
        true
    }
    /// Tries it; a failure is one sentence without secrets, for the log.
    async fn check(&self) -> Result<(), String>;
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    component: &'static str,
    is_healthy: bool,
    is_essential: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    is_system_healthy: bool,
    component_results: Vec<Component>,
}

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

struct Checks {
    components: Vec<Watched>,
    shutdown: Shutdown,
}

/// A component, and whether it worked when it was tried last. Anybody may have it tried as often as he likes, so the log
/// tells of changes alone.
struct Watched {
    check: Arc<dyn Check>,
    worked: AtomicBool,
}

impl Watched {
    fn new(check: Arc<dyn Check>) -> Self {
        Self { check, worked: AtomicBool::new(true) }
    }

    async fn works(&self) -> bool {
        let failure = match tokio::time::timeout(CHECK_TIMEOUT, self.check.check()).await {
            Ok(Ok(())) => None,
            Ok(Err(reason)) => Some(reason),
            Err(_) => Some(format!("it did not answer within {} s", CHECK_TIMEOUT.as_secs())),
        };
        let works = failure.is_none();
        let component = self.check.name();
        metrics::gauge!("heddle_component_healthy", "component" => component).set(u8::from(works));
        if self.worked.swap(works, Ordering::Relaxed) != works {
            match failure {
                Some(reason) => tracing::warn!(
                    component,
                    action = "check",
                    reason,
                    "a component that this process needs does not work"
                ),
                None => tracing::info!(component, action = "check", "it works again"),
            }
        }
        works
    }
}

/// `/health/{startup,liveness,readiness}`, their aliases `/api/check/…`, and `/version` with its alias. A process that
/// stops is alive and not ready. Anybody may ask, so the answers name components and say no more than whether they work;
/// why one does not is in the log.
pub fn routes(checks: Vec<Arc<dyn Check>>, version: &'static str, shutdown: Shutdown) -> Router {
    let components = checks.into_iter().map(Watched::new).collect();
    let shown = move || async move { reply(StatusCode::OK, &Version { name: "heddle", version }) };
    let mut router = Router::new().route("/version", get(shown)).route("/api/v1/version", get(shown));
    for base in ["/health", "/api/check"] {
        router = router
            .route(&format!("{base}/liveness"), get(liveness))
            .route(&format!("{base}/startup"), get(readiness))
            .route(&format!("{base}/readiness"), get(readiness));
    }
    router.route("/api/check/health", get(readiness)).with_state(Arc::new(Checks { components, shutdown }))
}

async fn liveness() -> Response {
    reply(StatusCode::OK, &Health { is_system_healthy: true, component_results: Vec::new() })
}

async fn readiness(State(checks): State<Arc<Checks>>) -> Response {
    let tried = checks.components.iter().map(async |watched| Component {
        component: watched.check.name(),
        is_healthy: watched.works().await,
        is_essential: watched.check.is_essential(),
    });
    let mut results = futures::future::join_all(tried).await;
    if checks.shutdown.is_leaving() {
        results.push(Component { component: "server", is_healthy: false, is_essential: true });
    }
    let healthy = results.iter().all(|component| component.is_healthy || !component.is_essential);
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    reply(status, &Health { is_system_healthy: healthy, component_results: results })
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    struct Fixed(Result<(), String>);

    struct Dispensable;

    #[async_trait]
    impl Check for Dispensable {
        fn name(&self) -> &'static str {
            "bus"
        }
        fn is_essential(&self) -> bool {
            false
        }
        async fn check(&self) -> Result<(), String> {
            Err("it is away".to_owned())
        }
    }

    #[async_trait]
    impl Check for Fixed {
        fn name(&self) -> &'static str {
            "database"
        }
        async fn check(&self) -> Result<(), String> {
            self.0.clone()
        }
    }

    async fn ask(router: Router, path: &str) -> (StatusCode, String) {
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("infallible");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn what_is_not_essential_is_shown_and_does_not_make_the_process_unready() {
        let (_stop, shutdown) = Shutdown::pair();
        let router = routes(vec![Arc::new(Fixed(Ok(()))), Arc::new(Dispensable)], "1", shutdown);
        let (status, body) = ask(router, "/health/readiness").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains(r#"{"component":"bus","isHealthy":false,"isEssential":false}"#), "{body}");
    }

    #[tokio::test]
    async fn readiness_names_what_fails_and_liveness_does_not_care() {
        let (stop, shutdown) = Shutdown::pair();
        let good = routes(vec![Arc::new(Fixed(Ok(())))], "1", shutdown.clone());
        let bad = routes(vec![Arc::new(Fixed(Err("it is away".to_owned())))], "1", shutdown);
        assert_eq!(ask(good.clone(), "/health/readiness").await.0, StatusCode::OK);
        let (status, body) = ask(bad.clone(), "/api/check/readiness").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains(r#"{"component":"database","isHealthy":false,"isEssential":true}"#), "{body}");
        assert!(!body.contains("it is away"), "{body}");
        assert_eq!(ask(bad, "/health/liveness").await.0, StatusCode::OK);
        stop.leave();
        assert_eq!(ask(good, "/health/readiness").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }
}
