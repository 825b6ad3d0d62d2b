//! One connection: from the handshake to the farewell.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{body::Body, extract::ConnectInfo, response::Response};
use http::{HeaderValue, Request, Version, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep, sleep_until, timeout},
};
use tower::ServiceExt;

use super::{
    Server,
    activity::{Activity, Watched},
    socket::{self, Socket},
};

/// One connection, and what it needs to run.
pub(super) struct Connection {
    pub server: Arc<Server>,
    pub stream: TcpStream,
    pub peer: SocketAddr,
    /// Given back when the connection has ended.
    pub place: OwnedSemaphorePermit,
}

impl Connection {
    pub async fn run(self) {
        let Self { server, stream, peer, place } = self;
        // Answers are small and written whole; waiting for more to send would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(component = "web", %error, "a connection keeps its delay");
        }
        let stream = Arc::new(stream);
        let limits = &server.limits;
        let plain = Socket::new(stream.clone(), (limits.stall_window, limits.stall_bytes_min));
        let ended = match &server.tls {
            None => http(&server, plain, (&stream, peer)).await,
            Some(tls) => match timeout(limits.head_read_timeout, tls.acceptor().accept(plain)).await {
                Ok(Ok(secure)) => http(&server, secure, (&stream, peer)).await,
                Ok(Err(error)) => {
                    // The client's doing, and anybody's: it is not worth more than a line for who looks for it.
                    tracing::debug!(component = "web", %peer, %error, "a TLS handshake failed");
                    Ended::Broken
                }
                Err(_) => Ended::Broken,
            },
        };
        if matches!(ended, Ended::Well) {
            socket::farewell(&stream).await;
        }
        drop(place);
    }
}

enum Ended {
    Well,
    Broken,
}

async fn http<I>(server: &Arc<Server>, io: I, (stream, peer): (&TcpStream, SocketAddr)) -> Ended
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Activity::new();
    let service = {
        let (server, activity) = (server.clone(), activity.clone());
        hyper::service::service_fn(move |request: Request<Incoming>| {
            answer(server.clone(), activity.clone(), peer, request)
        })
    };
    let connection = server.http.serve_connection(TokioIo::new(io), service).into_owned();
    let mut connection = std::pin::pin!(connection);
    let mut watch = Watch { server, activity, stream, begun: Instant::now(), finishing: None, left: false };
    loop {
        tokio::select! {
            ended = &mut connection => return match ended {
                Ok(()) => Ended::Well,
                Err(error) => {
                    // What breaks here is the client's doing: it went away, or spoke no HTTP.
                    tracing::debug!(component = "web", %peer, %error, "a connection broke");
                    Ended::Broken
                }
            },
            order = watch.next() => match order {
                Order::Finish => connection.as_mut().graceful_shutdown(),
                Order::Cut => return Ended::Broken,
            },
        }
    }
}

async fn answer(
    server: Arc<Server>,
    activity: Arc<Activity>,
    peer: SocketAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Watched>, Infallible> {
    let version = request.version();
    let lease = activity.enter(version);
    request.extensions_mut().insert(ConnectInfo(peer));
    let mut response = server.router.clone().oneshot(request.map(Body::new)).await?;
    if version <= Version::HTTP_11 && server.shutdown.is_leaving() {
        // The client's next request goes elsewhere. HTTP/2 has a frame for that (GOAWAY).
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Watched::new(body, lease)))
}

/// What is to be done with a connection.
enum Order {
    /// Take no more requests; end when those under way have.
    Finish,
    /// End.
    Cut,
}

/// Watches over one connection.
struct Watch<'a> {
    server: &'a Server,
    activity: Arc<Activity>,
    stream: &'a TcpStream,
    begun: Instant,
    /// Since when it takes no more requests.
    finishing: Option<Instant>,
    /// Whether it has heard that the process leaves.
    left: bool,
}

impl Watch<'_> {
    /// The next order. Given up in the middle, it has done nothing.
    async fn next(&mut self) -> Order {
        let (server, activity) = (self.server, self.activity.clone());
        let limits = &server.limits;
        let mut late = std::pin::pin!(late(self.begun + limits.head_read_timeout, &activity));
        let mut lingered = std::pin::pin!(lingered(server, &activity, self.stream));
        loop {
            tokio::select! {
                // hyper keeps the time of heads once it knows which version is spoken.
                () = &mut late => return Order::Cut,
                () = server.shutdown.clone().leaving(), if !self.left => {
                    self.left = true;
                    if activity.is_shared() && self.finishing.is_none() {
                        return self.finish();
                    }
                }
                () = &mut lingered, if self.finishing.is_none() => return self.finish(),
                () = sleep(limits.stall_window / 4) => match self.finishing {
                    Some(since) if since.elapsed() < limits.stall_window => {}
                    Some(_) if activity.has_stalled(limits.stall_window) || activity.quiet_for().is_some() => {
                        return Order::Cut;
                    }
                    Some(_) => {}
                    None if activity.is_shared() && self.is_idle() => return self.finish(),
                    None => {}
                },
            }
        }
    }

    fn finish(&mut self) -> Order {
        self.finishing = Some(Instant::now());
        Order::Finish
    }

    /// Whether the connection is not used any more. (Over HTTP/1.1 hyper sees to that itself.) A client that does not
    /// take one of its answers gets no more of them; the others on the same connection still come.
    fn is_idle(&self) -> bool {
        let limits = &self.server.limits;
        self.activity.quiet_for().is_some_and(|quiet| quiet >= limits.idle_timeout)
            || self.activity.has_stalled(limits.stall_window)
    }
}

/// Returns when the process stops and nothing has come for a while. A client that keeps a connection may be sending a
/// request at this moment: it gets an answer, and with it the word to come no more.
async fn lingered(server: &Server, activity: &Activity, stream: &TcpStream) {
    server.shutdown.clone().requested().await;
    if activity.is_shared() {
        return;
    }
    loop {
        sleep(server.limits.linger).await;
        let quiet = activity.quiet_for().is_none_or(|quiet| quiet >= server.limits.linger);
        if quiet && !socket::has_unread(stream) {
            return;
        }
    }
}

/// Returns at `deadline`, unless a request has come by then.
async fn late(deadline: Instant, activity: &Activity) {
    tokio::select! {
        biased;
        () = activity.begun() => std::future::pending().await,
        () = sleep_until(deadline) => {}
    }
}
