//! The accept loop: limits of a connection, and a stop that loses nothing.

mod activity;
mod connection;
mod socket;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{Shutdown, Tls};
use connection::Connection;

/// How long the loop leaves the listener alone when the process has no file descriptor left.
const EXHAUSTED_WAIT: Duration = Duration::from_millis(100);

/// What hyper needs at least for the head of a request, in bytes.
const HEAD_BYTES_MIN: usize = 8 * 1024;

/// How often a quiet HTTP/2 connection is asked whether its other end is still there, and how long it may take
/// to answer.
const ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));

/// Most of an answer that waits in one HTTP/2 stream for the client to take it, in bytes.
const STREAM_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Most streams that a client may reset before they are answered; one that goes on is hung up on (CVE-2023-44487).
const RESETS_MAX: usize = 50;

/// The bounds of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Time for the head of a request, from the moment that one may come, and for a TLS handshake; a slower client is
    /// cut off.
    pub head_read_timeout: Duration,
    /// Largest head of a request, in bytes; at least 8 KiB.
    pub head_bytes_max: usize,
    /// Most headers of a request.
    pub headers_max: usize,
    /// Most connections at a time; further ones wait in the listener's queue.
    pub connections_max: usize,
    /// Most requests at a time on one HTTP/2 connection.
    pub streams_max: u32,
    /// How long a client may take [`Self::stall_bytes_min`] of its answer, while there is something to take; one that
    /// takes less is cut off. A stream of events with nothing to tell waits for nobody.
    pub stall_window: Duration,
    /// The least that a client takes in that time, in bytes.
    pub stall_bytes_min: usize,
    /// How long an HTTP/2 connection without a request is kept.
    pub idle_timeout: Duration,
    /// How long a connection without a request is kept after a stop was requested: a request may be on its way.
    pub linger: Duration,
    /// Time for requests under way to end after a stop was requested.
    pub drain_patience: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            // Longer than the outgoing client keeps an idle connection, so that it is never the one to be surprised.
            head_read_timeout: Duration::from_secs(30),
            head_bytes_max: 64 * 1024,
            headers_max: 128,
            connections_max: 10_000,
            streams_max: 200,
            stall_window: Duration::from_secs(60),
            stall_bytes_min: 4 * 1024,
            idle_timeout: Duration::from_secs(120),
            linger: Duration::from_millis(250),
            drain_patience: Duration::from_secs(20),
        }
    }
}

/// What all connections of a listener share.
struct Server {
    http: auto::Builder<TokioExecutor>,
    router: Router,
    tls: Option<Arc<Tls>>,
    limits: ServerLimits,
    shutdown: Shutdown,
}

/// Serves `router` on `listener`, over HTTP/1.1 and over HTTP/2 with prior knowledge.
///
/// When the process leaves ([`crate::Stop::leave`]), HTTP/2 connections are told to go away and each answer over HTTP/1.1
/// closes its connection; new ones are still taken. When `shutdown` is requested, no new connection is taken, the requests
/// under way end, at most [`ServerLimits::drain_patience`], and this returns. What has not ended by then is cut off.
///
/// Handlers find the other end's address as [`axum::extract::ConnectInfo`].
pub async fn serve(listener: TcpListener, router: Router, limits: ServerLimits, shutdown: Shutdown) {
    run(listener, Server { http: builder(&limits), router, tls: None, limits, shutdown }).await;
}

/// As [`serve`], over TLS; HTTP/2 and HTTP/1.1 are offered by ALPN (RFC 7301).
pub async fn serve_tls(
    (listener, tls): (TcpListener, Arc<Tls>),
    router: Router,
    limits: ServerLimits,
    shutdown: Shutdown,
) {
    run(listener, Server { http: builder(&limits), router, tls: Some(tls), limits, shutdown }).await;
}

async fn run(listener: TcpListener, server: Server) {
    let server = Arc::new(server);
    let limits = server.limits;
    let places = Arc::new(Semaphore::new(limits.connections_max.min(Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let mut requested = std::pin::pin!(server.shutdown.clone().requested());
    loop {
        let accepted = tokio::select! {
            () = &mut requested => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        connections.spawn(Connection { server: server.clone(), stream, peer, place }.run());
    }
    for (stream, peer, place) in waiting(listener, &places) {
        connections.spawn(Connection { server: server.clone(), stream, peer, place }.run());
    }
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.drain_patience, all).await.is_err() {
        tracing::warn!(
            component = "web",
            action = "drain",
            connections = connections.len(),
            "requests were still under way when patience ended"
        );
    }
    connections.shutdown().await;
}

fn builder(limits: &ServerLimits) -> auto::Builder<TokioExecutor> {
    let head_bytes_max = limits.head_bytes_max.max(HEAD_BYTES_MIN);
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_read_timeout)
        .max_buf_size(head_bytes_max)
        .max_headers(limits.headers_max);
    server
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams_max)
        .max_send_buf_size(STREAM_BUFFER_BYTES_MAX)
        .max_pending_accept_reset_streams(RESETS_MAX)
        .keep_alive_interval(ALIVE.0)
        .keep_alive_timeout(ALIVE.1);
    server
}

type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<Accepted> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            tracing::warn!(component = "web", action = "accept", %error, "a connection was not taken");
            sleep(EXHAUSTED_WAIT).await;
            None
        }
    }
}

/// Closes the listener, and gives the connections that the operating system has let in already: their clients may have
/// sent requests. From here on it refuses connections, so that a load balancer goes elsewhere.
fn waiting(listener: TcpListener, places: &Arc<Semaphore>) -> Vec<Accepted> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let next = || {
        let place = places.clone().try_acquire_owned().ok()?;
        let (stream, peer) = listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, peer, place))
    };
    std::iter::from_fn(next).collect()
}
