//! The access log: one line for each request, when its answer is complete or given up.
//!
//! Who asked for what is in the request's span: the surface as component, method and route as action, the tenant, the
//! participant context, the trace and the request's id. The line adds how it ended.

use std::{
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use bytes::Bytes;
use heddle_telemetry::logs::category;
use http::Version;
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;
use tracing::Span;

/// What is known of a request before it is handled.
pub(crate) struct Caller {
    peer: Option<SocketAddr>,
    version: Version,
}

/// What there is to tell when the answer has ended.
struct Line {
    caller: Caller,
    span: Span,
    begun: Instant,
    /// From the request to the head of the answer, in milliseconds.
    ms: f64,
    status: u16,
    quiet: bool,
}

impl Caller {
    pub fn of(request: &Request) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
        Self { peer, version: request.version() }
    }

    /// Tells of the answer: now, if all of it is here, else when it has been sent.
    pub fn answered(self, response: Response, begun: Instant, quiet: bool) -> Response {
        let line = Line {
            caller: self,
            span: Span::current(),
            begun,
            ms: milliseconds(begun),
            status: response.status().as_u16(),
            quiet,
        };
        match hyper::body::Body::size_hint(response.body()).exact() {
            Some(bytes) => {
                line.write(bytes, true);
                response
            }
            None => response.map(|body| Body::new(Told { body, bytes: 0, ended: false, line: Some(line) })),
        }
    }
}

fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1_000_000.0).round() / 1000.0
}

impl Line {
    /// `complete` is whether the client got all of the answer, as far as the server knows.
    fn write(self, bytes: u64, complete: bool) {
        let Self { caller, span, begun, ms, status, quiet } = self;
        let (peer, total_ms) = (caller.peer.map(|peer| peer.ip().to_string()), milliseconds(begun));
        let http = match caller.version {
            Version::HTTP_2 => "2",
            Version::HTTP_10 => "1.0",
            _ => "1.1",
        };
        span.in_scope(|| {
            match status {
                _ if quiet => tracing::debug!(status, ms, total_ms, bytes, complete, http, peer, "answered"),
                // Who was refused is told to those who watch over security.
                401 | 403 => tracing::info!(
                    category = category::AUDIT,
                    status,
                    ms,
                    total_ms,
                    bytes,
                    complete,
                    http,
                    peer,
                    "answered"
                ),
                _ => tracing::info!(status, ms, total_ms, bytes, complete, http, peer, "answered"),
            }
        });
    }
}

/// A body whose length nobody knew before.
struct Told {
    body: Body,
    bytes: u64,
    ended: bool,
    line: Option<Line>,
}

impl hyper::body::Body for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let next = Pin::new(&mut self.body).poll_frame(context);
        match &next {
            Poll::Ready(Some(Ok(frame))) => {
                self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            Poll::Ready(None) => self.ended = true,
            _ => {}
        }
        next
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let complete = self.ended || hyper::body::Body::is_end_stream(&self.body);
        if let Some(line) = self.line.take() {
            line.write(self.bytes, complete);
        }
    }
}
