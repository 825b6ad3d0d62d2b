//! Finishes the router of one surface: everything around its handlers.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequestParts, MatchedPath, RawPathParams, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use heddle_clock::Environment;
use heddle_telemetry::{TraceContext, TraceState, spans, trace, tracestate};
use http::{HeaderMap, Method, request::Parts};
use tokio::time::Instant;
use tracing::Instrument;

use crate::{
    ErrorBody, InFlight, Kind, Refused, Rejection, SurfaceLimits, access,
    body::{Arrival, BodyLimits, TimedBody},
    request_id::{self, RequestId, X_REQUEST_ID},
};

/// How long a client that finds every place taken is asked to wait.
const FULL_WAIT: Duration = Duration::from_secs(1);

/// The names that routes give to a participant context.
const PARTICIPANT_PARAMETERS: [&str; 4] = ["context", "ctx", "participant", "participantContextId"];

/// The name that routes give to a tenant.
const TENANT_PARAMETERS: [&str; 1] = ["tenant"];

/// Most of an id that goes into the log; whoever asks has not been authenticated yet.
const ID_CHARS_MAX: usize = 128;

/// How long a body may take to arrive; more than [`BodyLimits`] gives JSON, whose reader tells it better.
const BODY_PATIENCE: Duration = Duration::from_secs(21);
const GRACE: Duration = Duration::from_secs(1);

/// The least that arrives of a streamed body, in bytes, while somebody waits for it in such a time.
const STREAM_PACE: (Duration, usize) = (Duration::from_secs(60), 4 * 1024);

/// What stands for the route in logs and metrics when none matches.
const UNMATCHED: &str = "unmatched";

/// A surface in the making: a name, an error body, limits.
pub struct Surface<E> {
    shared: Shared,
    surface: std::marker::PhantomData<fn() -> E>,
}

#[derive(Clone)]
struct Shared {
    name: &'static str,
    environment: Environment,
    in_flight: Option<InFlight>,
    quiet: bool,
    limits: BodyLimits,
    /// How a body arrives, whoever reads it.
    arrival: Arrival,
}

impl<E: ErrorBody> Surface<E> {
    /// A surface called `name` in metrics and logs.
    #[must_use]
    pub fn new(name: &'static str, environment: Environment) -> Self {
        let (limits, arrival) = (BodyLimits::default(), Arrival::Within(BODY_PATIENCE));
        let shared = Shared { name, environment, in_flight: None, quiet: false, limits, arrival };
        Self { shared, surface: std::marker::PhantomData }
    }

    /// With this many places; who finds none is told to come again (503).
    #[must_use]
    pub fn in_flight(mut self, in_flight: InFlight) -> Self {
        self.shared.in_flight = Some(in_flight);
        self
    }

    /// With this bound on bodies that are read as a whole, in bytes; 1 MiB unless said. Handlers that stream bound
    /// for themselves.
    #[must_use]
    pub fn body_bytes_max(mut self, body_bytes_max: usize) -> Self {
        self.shared.limits.body_bytes_max = body_bytes_max;
        self
    }

    /// With this time for a body to arrive; 20 s unless said.
    #[must_use]
    pub fn body_read_timeout(mut self, body_read_timeout: Duration) -> Self {
        self.shared.limits.body_read_timeout = body_read_timeout;
        if let Arrival::Within(patience) = &mut self.shared.arrival {
            *patience = body_read_timeout + GRACE;
        }
        self
    }

    /// With handlers that stream bodies: they may take as long as they move.
    #[must_use]
    pub fn streaming(mut self) -> Self {
        self.shared.arrival = Arrival::Moving(STREAM_PACE.0, STREAM_PACE.1);
        self
    }

    /// With access lines at debug level only: for health, which is asked all the time.
    #[must_use]
    pub fn quiet(mut self) -> Self {
        self.shared.quiet = true;
        self
    }

    /// The router with everything around it, answering for all paths below it: to be nested.
    pub fn finish(self, router: Router) -> Router {
        let router = router.fallback(nothing_here::<E>).method_not_allowed_fallback(wrong_method::<E>);
        self.around(router)
    }

    /// The routes with everything around them and nothing said of other paths: to be merged.
    pub fn around(self, router: Router) -> Router {
        let Self { shared, .. } = self;
        if let Some(in_flight) = &shared.in_flight {
            in_flight.tell(shared.name);
        }
        router
            .layer(DefaultBodyLimit::max(shared.limits.body_bytes_max))
            .layer(middleware::from_fn_with_state(Arc::new(shared), around::<E>))
    }
}

async fn nothing_here<E: ErrorBody>() -> Refused<E> {
    Rejection::new(Kind::NotFound, "There is nothing at this path.").into()
}

async fn wrong_method<E: ErrorBody>() -> Refused<E> {
    Rejection::new(Kind::MethodNotAllowed, "This path exists, but not for this method.").into()
}

/// Around every request: its ids, its span, its place, its panic, its numbers.
async fn around<E: ErrorBody>(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers(), &shared.environment);
    let (parent, state) = traced(request.headers());
    let (route, method) = (route(&request), known(request.method()));
    let caller = access::Caller::of(&request);
    let bounds = request.extensions().get::<SurfaceLimits>().cloned().unwrap_or_default();
    let (mut parts, body) = request.into_parts();
    let (tenant, participant) = owners(&mut parts).await;
    parts.extensions.insert(limits(&shared, &bounds));
    let request = Request::from_parts(parts, Body::new(TimedBody::new(body, shared.arrival)));
    let span = tracing::info_span!(
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        url.scheme = request.uri().scheme_str().unwrap_or("http"),
        error.type = tracing::field::Empty,
        trace_id = tracing::field::Empty,
        request_id = id.as_str(),
        component = shared.name,
        action = %format_args!("{method} {route}"),
        tenant_id = tenant,
        participant_context_id = participant,
    );
    let context = spans::step(&span, parent, &shared.environment);
    let under_way = UnderWay::begin(&shared);
    let begun = Instant::now();
    let places = bounds.places(shared.name).or(shared.in_flight.as_ref());
    let work = async {
        let Some(_place) = places.map_or(Some(None), |places| places.enter().map(Some)) else {
            let full =
                Rejection::unavailable("Too many requests are under way; try again shortly.", FULL_WAIT);
            return Refused::<E>::from(full).into_response();
        };
        match AssertUnwindSafe(next.run(request)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => Refused::<E>::from(Rejection::internal(&"a handler panicked")).into_response(),
        }
    };
    let measured = async {
        let mut response = work.await;
        drop(under_way);
        if let Some(id) = id.header() {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        account(&shared, method, &route, &response, begun.elapsed());
        caller.answered(response, begun, shared.quiet)
    };
    let measured = request_id::within(id.clone(), tracestate::within(state, measured.instrument(span)));
    trace::within(context, measured).await
}

/// The step before the request, and what others want carried along with the trace; without one that is nothing.
fn traced(headers: &HeaderMap) -> (Option<TraceContext>, Option<TraceState>) {
    let parent = headers.get(trace::TRACEPARENT).and_then(|value| value.to_str().ok());
    let parent = parent.and_then(|text| text.parse().ok());
    let state = parent.and_then(|_: TraceContext| {
        TraceState::read(
            headers.get_all(tracestate::TRACESTATE).iter().filter_map(|value| value.to_str().ok()),
        )
    });
    (parent, state)
}

/// The bounds of bodies. What an operator sets holds where a surface has not asked for less.
fn limits(shared: &Shared, bounds: &SurfaceLimits) -> BodyLimits {
    let usual = BodyLimits::default().body_bytes_max;
    let own = shared.limits.body_bytes_max;
    let body_bytes_max = match bounds.body_bytes_max() {
        Some(set) if own == usual => set,
        Some(set) => own.min(set),
        None => own,
    };
    BodyLimits { body_bytes_max, ..shared.limits }
}

/// The pattern of the route, such as `/api/dsp/{context}/{profile}/catalog/request`: bounded in number, unlike paths.
fn route(request: &Request) -> String {
    match request.extensions().get::<MatchedPath>() {
        // What leads to the fallback of a nested router is no route of ours.
        Some(path) if !path.as_str().contains("__private__axum") => path.as_str().to_owned(),
        _ => UNMATCHED.to_owned(),
    }
}

/// The method as a label: a stranger who invents methods must not make new time series.
fn known(method: &Method) -> &'static str {
    const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    METHODS.into_iter().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}

fn account(shared: &Shared, method: &str, route: &str, response: &Response, elapsed: Duration) {
    let status = response.status().as_u16();
    let labels =
        [("surface", shared.name.to_owned()), ("route", route.to_owned()), ("method", method.to_owned())];
    metrics::histogram!("heddle_http_request_seconds", &labels).record(elapsed.as_secs_f64());
    let mut labels = labels.to_vec();
    labels.push(("status", status.to_string()));
    metrics::counter!("heddle_http_requests_total", &labels).increment(1);
    tell(status);
}

/// Completes the span under way, by OpenTelemetry's conventions for HTTP servers: what a client did wrong is no error
/// of ours.
fn tell(status: u16) {
    let span = tracing::Span::current();
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.to_string());
    }
}

/// A request under way, counted until it is dropped.
struct UnderWay(metrics::Gauge);

impl UnderWay {
    fn begin(shared: &Shared) -> Self {
        let gauge = metrics::gauge!("heddle_http_in_flight", "surface" => shared.name);
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// The tenant and the participant context that the path names, as the router read it: inside a nested router the path
/// itself has lost its beginning.
async fn owners(parts: &mut Parts) -> (Option<String>, Option<String>) {
    let Ok(parameters) = RawPathParams::from_request_parts(parts, &()).await else { return (None, None) };
    let named = |names: &[&str]| {
        let value = parameters.iter().find(|(name, _)| names.contains(name));
        value.map(|(_, value)| value.chars().take(ID_CHARS_MAX).collect())
    };
    (named(&TENANT_PARAMETERS), named(&PARTICIPANT_PARAMETERS))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use http::{StatusCode, header};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::Management;

    async fn ask(router: &Router, method: &str, path: &str) -> (StatusCode, String, Option<String>) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        let response = router.clone().oneshot(request).await.expect("infallible");
        let retry = response.headers().get(header::RETRY_AFTER).map(|v| v.to_str().expect("text").to_owned());
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned(), retry)
    }

    fn surface(places: usize) -> Router {
        let router = Router::new()
            .route("/fine", get(async || "fine"))
            .route("/defect", get(async || -> &'static str { panic!("a defect of a test") }));
        Surface::<Management>::new("test", Environment::system())
            .in_flight(InFlight::new(places))
            .finish(router)
    }

    #[tokio::test]
    async fn every_refusal_speaks_the_surfaces_language() {
        let router = surface(1);
        assert_eq!(ask(&router, "GET", "/fine").await.0, StatusCode::OK);
        for (method, path, status) in [
            ("GET", "/nowhere", StatusCode::NOT_FOUND),
            ("POST", "/fine", StatusCode::METHOD_NOT_ALLOWED),
            ("GET", "/defect", StatusCode::INTERNAL_SERVER_ERROR),
        ] {
            let (found, body, _) = ask(&router, method, path).await;
            assert_eq!(found, status, "{method} {path}");
            assert!(body.starts_with("[{\"message\""), "{body}");
        }
        assert_eq!(
            ask(&router, "GET", "/fine").await.0,
            StatusCode::OK,
            "the place of the panic is free again"
        );
    }

    #[tokio::test]
    async fn a_full_surface_says_when_to_come_again() {
        let (status, _, retry) = ask(&surface(0), "GET", "/fine").await;
        assert_eq!((status, retry.as_deref()), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    }
}
