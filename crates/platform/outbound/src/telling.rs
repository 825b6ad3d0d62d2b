//! What is told of an exchange: a span with its `traceparent`, a number, a time.
//!
//! A request outside of any trace is the telemetry's own, and is not told of: it would tell of itself for ever.

use std::time::Instant;

use heddle_clock::Environment;
use heddle_telemetry::{TraceContext, spans, trace};
use http::{HeaderValue, Method, StatusCode};
use tracing::{Span, field::Empty};
use url::Url;

use crate::{OutboundError, excerpt};

/// One request under way. Dropped without an end, it was given up: its time was over, or nobody wants it any more.
pub(crate) struct Exchange {
    pub span: Span,
    context: TraceContext,
    begun: Option<Instant>,
}

impl Exchange {
    pub(crate) fn begin(method: &Method, url: &Url, environment: &Environment) -> Self {
        if trace::current().is_none() {
            return Self { span: Span::none(), context: TraceContext::begin(environment), begun: None };
        }
        let span = tracing::info_span!(
            target: spans::ONLY,
            "http.client",
            otel.name = %method,
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = %method,
            http.response.status_code = Empty,
            server.address = url.host_str(),
            server.port = url.port_or_known_default(),
            url.full = excerpt::shown(url),
            error.type = Empty,
        );
        let context = spans::step_within(&span, environment);
        Self { span, context, begun: Some(Instant::now()) }
    }

    pub(crate) fn traceparent(&self) -> HeaderValue {
        let text = self.context.to_string();
        HeaderValue::from_str(&text).expect("a traceparent is hexadecimal digits and hyphens")
    }

    pub(crate) fn end(mut self, answer: Result<StatusCode, &OutboundError>) {
        match answer {
            Ok(status) => {
                self.span.record("http.response.status_code", status.as_u16());
                let failed = status.is_client_error() || status.is_server_error();
                self.tell(class(status), failed.then(|| status.as_str()));
            }
            Err(OutboundError::Refused { .. }) => self.tell("refused", Some("refused")),
            Err(_) => self.tell("unreachable", Some("unreachable")),
        }
    }

    fn tell(&mut self, outcome: &'static str, error: Option<&str>) {
        let Some(begun) = self.begun.take() else { return };
        if let Some(error) = error {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", error);
        }
        count(outcome);
        let seconds = begun.elapsed().as_secs_f64();
        metrics::histogram!("heddle_outbound_request_seconds", "outcome" => outcome).record(seconds);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.tell("given-up", Some("given-up"));
    }
}

/// A URL was refused before anything was sent.
pub(crate) fn refused(_: &OutboundError) {
    count("refused");
}

fn count(outcome: &'static str) {
    metrics::counter!("heddle_outbound_requests_total", "outcome" => outcome).increment(1);
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
