//! Sending.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use heddle_clock::Environment;
use heddle_telemetry::{
    trace::TRACEPARENT,
    tracestate::{self, TRACESTATE},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::{sync::Notify, time::timeout};
use tracing::Instrument;

use crate::{
    Body, InvalidConfig, Lane, NameLookup, OutboundConfig, OutboundError, Request, Response,
    StreamingResponse, SystemLookup, excerpt,
    guard::{Guard, Target},
    hops,
    resolver::{RefusedAddress, Resolver},
    telling::{self, Exchange},
    turns::{Turn, Turns},
};

/// Most idle connections to one host that are kept.
const IDLE_CONNECTIONS_MAX: usize = 32;

/// The client. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Outbound(Arc<Inner>);

struct Inner {
    config: OutboundConfig,
    environment: Environment,
    guard: Guard,
    /// Connections to whatever a peer named: every resolved address is checked.
    guarded: reqwest::Client,
    /// Connections to the installation's own origins, and to everything in development.
    trusted: reqwest::Client,
    turns: Arc<Turns>,
}

/// An answer whose body is still coming, and the turn that lasts until it has come.
struct Begun {
    url: String,
    response: reqwest::Response,
    turn: Option<Turn>,
}

impl Outbound {
    /// A client that looks names up with the operating system.
    pub fn new(config: OutboundConfig, environment: Environment) -> Result<Self, InvalidConfig> {
        Self::with_lookup(config, environment, Arc::new(SystemLookup))
    }

    /// A client that looks names up with `lookup`.
    pub fn with_lookup(
        config: OutboundConfig,
        environment: Environment,
        lookup: Arc<dyn NameLookup>,
    ) -> Result<Self, InvalidConfig> {
        let guard = Guard::new(&config)?;
        let guarded = client(&config, Resolver { lookup: lookup.clone(), rules: Some(guard.rules()) })?;
        let trusted = client(&config, Resolver { lookup, rules: None })?;
        let turns = Turns::new(config.per_host);
        Ok(Self(Arc::new(Inner { config, environment, guard, guarded, trusted, turns })))
    }

    /// Where the client's time and random bytes come from.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.0.environment
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &OutboundConfig {
        &self.0.config
    }

    /// Whether `url` leads to one of the installation's own origins.
    #[must_use]
    pub fn is_own(&self, url: &str) -> bool {
        self.0.guard.is_own(url)
    }

    /// Sends `request` and reads the whole answer. Everything but 2xx is an error; see
    /// [`OutboundError::class`] for what to do with it.
    pub async fn send(&self, request: Request) -> Result<Response, OutboundError> {
        let target = self.0.guard.check(&request.url).inspect_err(telling::refused)?;
        let url = excerpt::shown(&target.url);
        let limit = request.timeout.unwrap_or(self.0.config.request_timeout);
        let body_bytes_max = request.body_bytes_max.unwrap_or(self.0.config.body_bytes_max);
        let lane = request.lane.unwrap_or_else(|| natural_lane(&request));
        let late = || OutboundError::Timeout { url: url.clone(), after: limit };
        if matches!(request.body, Body::Stream { .. }) {
            // However long the upload takes; its own idle time bounds it, and `limit` what comes after the head.
            let begun = self.head(target, request, lane).await?;
            return timeout(limit, self.whole(begun, body_bytes_max)).await.map_err(|_| late())?;
        }
        let exchange = async {
            let begun = if request.redirects_max > 0 && hops::may_follow(&request.method) {
                self.followed(target, request, lane).await?
            } else {
                self.execute(target, request, (lane, None)).await?
            };
            self.whole(begun, body_bytes_max).await
        };
        timeout(limit, exchange).await.map_err(|_| late())?
    }

    /// Sends `request` and hands the answer's body on as it comes, whatever its status (but no redirect).
    ///
    /// The head of the answer must come within the request's time; a streamed request body may take as long as
    /// it moves.
    pub async fn stream(&self, request: Request) -> Result<StreamingResponse, OutboundError> {
        let target = self.0.guard.check(&request.url).inspect_err(telling::refused)?;
        let lane = request.lane.unwrap_or(Lane::Stream);
        let Begun { url, response, turn } = self.head(target, request, lane).await?;
        not_redirected(&url, &response)?;
        Ok(StreamingResponse::new(url, response, self.0.config.idle_timeout, turn))
    }

    /// Sends and waits for the head of the answer.
    async fn head(&self, target: Target, request: Request, lane: Lane) -> Result<Begun, OutboundError> {
        let url = excerpt::shown(&target.url);
        if !matches!(request.body, Body::Stream { .. }) {
            let limit = request.timeout.unwrap_or(self.0.config.request_timeout);
            let late = |_| OutboundError::Timeout { url, after: limit };
            return timeout(limit, self.execute(target, request, (lane, None))).await.map_err(late)?;
        }
        let (limit, moved) = (self.0.config.idle_timeout, Arc::new(Notify::new()));
        let mut answer = Box::pin(self.execute(target, request, (lane, Some(moved.clone()))));
        loop {
            tokio::select! {
                begun = &mut answer => return begun,
                moved = timeout(limit, moved.notified()) => {
                    moved.map_err(|_| OutboundError::Timeout { url: url.clone(), after: limit })?;
                }
            }
        }
    }

    /// Sends, and goes on where answers point, as long as the request allows it.
    async fn followed(
        &self,
        mut target: Target,
        mut request: Request,
        lane: Lane,
    ) -> Result<Begun, OutboundError> {
        loop {
            let next = request.to_go_on();
            let here = Target { url: target.url.clone(), ..target };
            let begun = self.execute(target, request, (lane, None)).await?;
            let (status, headers) = (begun.response.status(), begun.response.headers());
            if !hops::redirects(status) || next.redirects_max == u8::MAX {
                return Ok(begun);
            }
            let Some(found) = hops::next(&self.0.guard, &here, status, headers) else { return Ok(begun) };
            target = found?;
            request = if hops::same_origin(&here, &target) { next } else { next.for_strangers() };
        }
    }

    /// Waits for its turn, sends, and waits for the head of the answer.
    async fn execute(
        &self,
        target: Target,
        request: Request,
        (lane, moved): (Lane, Option<Arc<Notify>>),
    ) -> Result<Begun, OutboundError> {
        let url = excerpt::shown(&target.url);
        let turn = self.turn(&target, lane).await?;
        let exchange = Exchange::begin(&request.method, &target.url, &self.0.environment);
        let client = if target.trusted { &self.0.trusted } else { &self.0.guarded };
        let mut message = reqwest::Request::new(request.method, target.url);
        *message.headers_mut() = request.headers;
        let headers = message.headers_mut();
        headers.insert(HeaderName::from_static(TRACEPARENT), exchange.traceparent());
        if let Some(state) =
            tracestate::current().and_then(|state| HeaderValue::from_str(state.as_str()).ok())
        {
            headers.insert(HeaderName::from_static(TRACESTATE), state);
        }
        headers.entry(header::ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        if let Some(authorization) = &request.authorization {
            headers.insert(header::AUTHORIZATION, authorization.header()?);
        }
        if let Some(key) = &request.idempotency_key {
            let key = HeaderValue::from_str(key).map_err(|_| OutboundError::Malformed {
                subject: "the Idempotency-Key".to_owned(),
                reason: "it holds characters that a header cannot carry".to_owned(),
            })?;
            headers.insert(HeaderName::from_static("idempotency-key"), key);
        }
        attach(&mut message, request.body, moved);
        let method = message.method().clone();
        let sent = client.execute(message).instrument(exchange.span.clone());
        let answer = sent.await.map_err(|e| failure(&url, e));
        exchange.end(answer.as_ref().map(reqwest::Response::status));
        tracing::debug!(
            component = "outbound",
            action = "send",
            %method,
            url,
            status = answer.as_ref().ok().map(|response| response.status().as_u16()),
            "request sent"
        );
        Ok(Begun { url, response: answer?, turn })
    }

    /// Our own origins are asked whenever we like: a request to ourselves may wait for another one.
    async fn turn(&self, target: &Target, lane: Lane) -> Result<Option<Turn>, OutboundError> {
        if target.own {
            return Ok(None);
        }
        let host = target.url.origin().ascii_serialization();
        let busy = || OutboundError::Busy { url: excerpt::shown(&target.url) };
        self.0.turns.take(host, lane).await.map(Some).ok_or_else(busy)
    }

    /// Reads the whole body of a success; turns everything else into an error.
    async fn whole(&self, begun: Begun, body_bytes_max: usize) -> Result<Response, OutboundError> {
        let Begun { url, mut response, turn: _turn } = begun;
        let url = url.as_str();
        let (status, headers) = (response.status(), response.headers().clone());
        not_redirected(url, &response)?;
        if !status.is_success() {
            let body = beginning(&mut response, excerpt::EXCERPT_BYTES_MAX).await;
            return Err(OutboundError::Status {
                url: url.to_owned(),
                status,
                body_excerpt: excerpt::shortened(&String::from_utf8_lossy(&body), excerpt::EXCERPT_BYTES_MAX),
                retry_after: excerpt::retry_after(&headers, self.0.environment.now()),
            });
        }
        not_encoded(url, &headers)?;
        let too_large = || OutboundError::TooLarge { url: url.to_owned(), body_bytes_max };
        if response.content_length().is_some_and(|length| length > body_bytes_max as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| failure(url, e))? {
            if body.len() + chunk.len() > body_bytes_max {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { url: url.to_owned(), status, headers, body: body.freeze() })
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outbound").field(&self.0.config).finish()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that makes HTTP clients")]
fn client(config: &OutboundConfig, resolver: Resolver) -> Result<reqwest::Client, InvalidConfig> {
    // Whoever installed a provider first is kept; in one process there is one TLS stack.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .user_agent(&config.user_agent)
        .connect_timeout(config.connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // A proxy would look names up itself, past the guard.
        .no_proxy()
        // Shorter than the time after which servers commonly close idle connections.
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .pool_idle_timeout(Duration::from_secs(20))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .tcp_nodelay(true)
        .dns_resolver(Arc::new(resolver))
        .tls_certs_merge(extra_roots(config)?)
        .build()
        .map_err(|e| InvalidConfig::Client(excerpt::causes(&e)))
}

fn extra_roots(config: &OutboundConfig) -> Result<Vec<reqwest::Certificate>, InvalidConfig> {
    let Some(path) = &config.extra_roots else { return Ok(Vec::new()) };
    let invalid = |reason: String| InvalidConfig::Roots { path: path.clone(), reason };
    let pem = std::fs::read(path).map_err(|e| invalid(e.to_string()))?;
    let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| invalid(excerpt::causes(&e)))?;
    if roots.is_empty() { Err(invalid("it holds no certificate".to_owned())) } else { Ok(roots) }
}

fn attach(message: &mut reqwest::Request, body: Body, moved: Option<Arc<Notify>>) {
    let (media_type, body) = match body {
        Body::Empty => return,
        Body::Json(text) => ("application/json", reqwest::Body::from(text)),
        Body::Form(text) => ("application/x-www-form-urlencoded", reqwest::Body::from(text)),
        Body::Stream { bytes, length } => {
            if let Some(length) = length {
                message.headers_mut().insert(header::CONTENT_LENGTH, length.into());
            }
            let bytes = bytes.inspect(move |_| moved.iter().for_each(|moved| moved.notify_one()));
            ("application/octet-stream", reqwest::Body::wrap_stream(bytes))
        }
    };
    message.headers_mut().entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(media_type));
    *message.body_mut() = Some(body);
}

fn not_redirected(url: &str, response: &reqwest::Response) -> Result<(), OutboundError> {
    let status = response.status();
    if !hops::redirects(status) {
        return Ok(());
    }
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let location =
        excerpt::shortened(location.and_then(|text| text.split('?').next()).unwrap_or("nowhere"), 200);
    Err(OutboundError::Redirected { url: url.to_owned(), status, location })
}

/// A small answer that unfolds to a large one would pass every bound, so nothing here unfolds; and we have said so.
fn not_encoded(url: &str, headers: &HeaderMap) -> Result<(), OutboundError> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let plain = |value: &HeaderValue| value.is_empty() || value.as_bytes().eq_ignore_ascii_case(b"identity");
    match encodings.into_iter().find(|value| !plain(value)) {
        None => Ok(()),
        Some(encoding) => Err(OutboundError::Malformed {
            subject: format!("the answer of {url}"),
            reason: excerpt::shortened(
                &format!(
                    "it is encoded ({}), and only 'identity' was accepted",
                    String::from_utf8_lossy(encoding.as_bytes())
                ),
                200,
            ),
        }),
    }
}

/// The lane of a request that names none.
fn natural_lane(request: &Request) -> Lane {
    if request.authorization.is_none() && hops::may_follow(&request.method) {
        Lane::Lookup
    } else {
        Lane::Message
    }
}

/// What arrives of a failed answer's body, up to `bytes_max`; a failure while reading ends it.
async fn beginning(response: &mut reqwest::Response, bytes_max: usize) -> Bytes {
    let mut body = BytesMut::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = bytes_max - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == bytes_max {
            break;
        }
    }
    body.freeze()
}

fn failure(url: &str, error: reqwest::Error) -> OutboundError {
    let url = url.to_owned();
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if let Some(RefusedAddress(reason)) = current.downcast_ref() {
            return OutboundError::Refused { url, reason: reason.clone() };
        }
        cause = current.source();
    }
    OutboundError::Unreachable { url, reason: excerpt::causes(&error.without_url()) }
}
