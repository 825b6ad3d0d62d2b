//! The accept loop: limits of a connection, and a stop that loses nothing.

use std::time::Duration;

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};

use crate::Shutdown;

/// How long the loop leaves the listener alone when the process has no file descriptor left.
const EXHAUSTED_WAIT: Duration = Duration::from_millis(100);

/// The bounds of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLimits {
    /// Time for the head of a request, from its first byte; a slower client is cut off.
    pub head_read_timeout: Duration,
    /// Largest head of a request, in bytes.
    pub head_bytes_max: usize,
    /// Most headers of a request.
    pub headers_max: usize,
    /// Time for requests under way to end after a stop was requested.
    pub drain_patience: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            head_read_timeout: Duration::from_secs(15),
            head_bytes_max: 64 * 1024,
            headers_max: 128,
            drain_patience: Duration::from_secs(20),
        }
    }
}

/// Serves `router` on `listener` until `shutdown` is requested; then takes no new connection, lets the requests under
/// way end, at most [`ServerLimits::drain_patience`], and returns.
pub async fn serve(listener: TcpListener, router: Router, limits: ServerLimits, shutdown: Shutdown) {
    let server = builder(&limits);
    let graceful = GracefulShutdown::new();
    let mut requested = std::pin::pin!(shutdown.requested());
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(component = "web", action = "accept", %error, "a connection was not taken");
                    tokio::time::sleep(EXHAUSTED_WAIT).await;
                    continue;
                }
            },
            () = &mut requested => break,
        };
        take(stream, &server, &graceful, router.clone());
    }
    drop(listener);
    if tokio::time::timeout(limits.drain_patience, graceful.shutdown()).await.is_err() {
        tracing::warn!(component = "web", action = "drain", "requests were still under way when patience ended");
    }
}

fn builder(limits: &ServerLimits) -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_read_timeout)
        .max_buf_size(limits.head_bytes_max)
        .max_headers(limits.headers_max);
    let header_list = u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX);
    server.http2().timer(TokioTimer::new()).max_header_list_size(header_list);
    server
}

fn take(
    stream: TcpStream,
    server: &auto::Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    router: Router,
) {
    // Answers are small and written whole; waiting for more to send would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(component = "web", %error, "a connection keeps its delay");
    }
    let service = TowerToHyperService::new(router);
    let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // What breaks here is the client's doing: it went away, or spoke no HTTP.
        if let Err(error) = connection.await {
            tracing::debug!(component = "web", %error, "a connection broke");
        }
    });
}
