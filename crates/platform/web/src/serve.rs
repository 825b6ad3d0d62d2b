//! The accept loop: limits of a connection, and a stop that loses nothing.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::ServiceExt;

use crate::Shutdown;

/// How long the loop leaves the listener alone when the process has no file descriptor left.
const EXHAUSTED_WAIT: Duration = Duration::from_millis(100);

/// What hyper needs at least for the head of a request, in bytes.
const HEAD_BYTES_MIN: usize = 8 * 1024;

/// How often a quiet HTTP/2 connection is asked whether its other end is still there, and how long it may take
/// to answer.
const ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));

/// The bounds of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Time for the head of a request, from the moment that one may come; a slower client is cut off.
    pub head_read_timeout: Duration,
    /// Largest head of a request, in bytes; at least 8 KiB.
    pub head_bytes_max: usize,
    /// Most headers of a request.
    pub headers_max: usize,
    /// Most connections at a time; further ones wait in the listener's queue.
    pub connections_max: usize,
    /// Most requests at a time on one HTTP/2 connection.
    pub streams_max: u32,
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
            drain_patience: Duration::from_secs(20),
        }
    }
}

/// Serves `router` on `listener`, over HTTP/1.1 and over HTTP/2 with prior knowledge, until `shutdown` is requested;
/// then takes no new connection, lets the requests under way end, at most [`ServerLimits::drain_patience`], and
/// returns. What has not ended by then is cut off.
///
/// Handlers find the other end's address as [`ConnectInfo`].
pub async fn serve(listener: TcpListener, router: Router, limits: ServerLimits, shutdown: Shutdown) {
    let server = Arc::new(builder(&limits));
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections_max.min(Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let mut requested = std::pin::pin!(shutdown.requested());
    loop {
        let accepted = tokio::select! {
            () = &mut requested => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let connection = Connection { router: router.clone(), peer, place, watcher: graceful.watcher() };
        connections.spawn(connection.run(stream, server.clone(), limits.head_read_timeout));
    }
    // From here on the operating system refuses connections, so that a load balancer goes elsewhere.
    drop(listener);
    if timeout(limits.drain_patience, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            component = "web",
            action = "drain",
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
        .keep_alive_interval(ALIVE.0)
        .keep_alive_timeout(ALIVE.1);
    server
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
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

/// One connection, and what it needs to run.
struct Connection {
    router: Router,
    peer: SocketAddr,
    /// Given back when the connection has ended.
    place: OwnedSemaphorePermit,
    watcher: Watcher,
}

impl Connection {
    async fn run(self, stream: TcpStream, server: Arc<auto::Builder<TokioExecutor>>, patience: Duration) {
        let Self { router, peer, place, watcher } = self;
        // Answers are small and written whole; waiting for more to send would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(component = "web", %error, "a connection keeps its delay");
        }
        let first_request = Arc::new(Notify::new());
        let arrived = first_request.clone();
        let service = hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
            arrived.notify_one();
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(Body::new))
        });
        let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let mut connection = std::pin::pin!(watcher.watch(connection));
        // Until hyper knows which version is spoken it keeps no time, so the first head is timed here.
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = first_request.notified() => connection.await,
            () = sleep(patience) => return,
        };
        // What breaks here is the client's doing: it went away, or spoke no HTTP.
        if let Err(error) = ended {
            tracing::debug!(component = "web", %peer, %error, "a connection broke");
        }
        drop(place);
    }
}
