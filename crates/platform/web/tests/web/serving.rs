//! The listener: its limits, and a stop that loses nothing.

use std::{sync::Arc, time::Duration};

use crate::support::{Answer, Server};
use axum::{Router, extract::ConnectInfo, routing::get};
use heddle_web::ServerLimits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

fn quick() -> ServerLimits {
    ServerLimits {
        head_read_timeout: Duration::from_millis(100),
        drain_patience: Duration::from_millis(200),
        ..ServerLimits::default()
    }
}

fn hello() -> Router {
    let peer = |ConnectInfo(peer): ConnectInfo<std::net::SocketAddr>| async move { peer.ip().to_string() };
    Router::new().route("/", get(peer))
}

#[tokio::test]
async fn connections_are_kept_and_the_peer_is_known() {
    let server = Server::start(hello(), ServerLimits::default()).await;
    let mut stream = server.connect().await;
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
        let mut bytes = [0; 1024];
        let mut text = String::new();
        while !text.ends_with("127.0.0.1") {
            let read = stream.read(&mut bytes).await.expect("read");
            assert_ne!(read, 0, "the connection must stay open");
            text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    }
}

#[tokio::test]
async fn http2_is_spoken_with_prior_knowledge() {
    let server = Server::start(hello(), ServerLimits::default()).await;
    let mut stream = server.connect().await;
    // The preface and an empty SETTINGS frame (RFC 9113 §3.4); the server answers with its own SETTINGS.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.expect("sent");
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[3], 4, "a SETTINGS frame");
}

#[tokio::test]
async fn whoever_sends_no_head_in_time_is_hung_up_on() {
    let server = Server::start(hello(), quick()).await;
    for beginning in [&b""[..], b"P", b"PRI * HTTP/2", b"GET / HTTP/1.1\r\nhost:"] {
        let mut stream = server.connect().await;
        stream.write_all(beginning).await.expect("sent");
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "{:?} kept the connection", String::from_utf8_lossy(beginning));
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server =
        Server::start(hello(), ServerLimits { head_bytes_max: 8 * 1024, ..ServerLimits::default() }).await;
    let fits = server.ask("GET", "/", &format!("x: {}\r\n", "y".repeat(4 * 1024)), "").await;
    assert_eq!(fits.status, 200);
    let answer = server.ask("GET", "/", &format!("x: {}\r\n", "y".repeat(9 * 1024)), "").await;
    assert_eq!(answer.status, 431, "{answer:?}");
}

/// A route that tells when it was entered and answers when it may.
fn gated() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, wait) = (entered.clone(), leave.clone());
    let route = get(move || async move {
        enter.notify_one();
        wait.notified().await;
        "finished"
    });
    (Router::new().route("/slow", route), entered, leave)
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_and_accepts_nothing_more() {
    let (router, entered, leave) = gated();
    let limits = ServerLimits { drain_patience: Duration::from_secs(20), ..ServerLimits::default() };
    let server = Server::start(router, limits).await;
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    entered.notified().await;
    let address = server.address;
    let task = server.stop();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.expect("closed at once");
    assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
    assert!(!task.is_finished(), "a request is under way");
    leave.notify_one();
    let answer = Answer::read(&mut busy).await;
    assert!(answer.body.ends_with("finished"), "{answer:?}");
    task.await.expect("served to the end");
}

#[tokio::test]
async fn patience_ends() {
    let (router, entered, _leave) = gated();
    let server = Server::start(router, quick()).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    entered.notified().await;
    tokio::time::timeout(Duration::from_secs(5), server.stop()).await.expect("in time").expect("served");
    assert_eq!(Answer::read(&mut busy).await.status, 0, "the connection was given up");
}

#[tokio::test]
async fn a_connection_too_many_waits_its_turn() {
    let server = Server::start(hello(), ServerLimits { connections_max: 1, ..ServerLimits::default() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    first.read_exact(&mut [0; 1]).await.expect("answered");
    let second = server.ask("GET", "/", "", "");
    tokio::pin!(second);
    let early = tokio::time::timeout(Duration::from_millis(50), &mut second).await;
    assert!(early.is_err(), "the only place is taken");
    drop(first);
    assert_eq!(second.await.status, 200);
}
