//! Clients that take their time: with heads, with bodies, with answers.

use std::{io, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    routing::{get, post},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use heddle_clock::Environment;
use heddle_web::{Json, Management, ServerLimits, Shutdown, Surface, sse};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

use crate::support::{Answer, Server};

/// Longest that a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

fn short() -> ServerLimits {
    ServerLimits { stall_window: Duration::from_millis(400), ..ServerLimits::default() }
}

/// A route that answers without end, and tells when the server has given the answer up.
fn endless() -> (Router, mpsc::UnboundedReceiver<()>) {
    struct Told(mpsc::UnboundedSender<()>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _gone = self.0.send(());
        }
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    let route = get(move || {
        let told = Told(sender.clone());
        let bytes = stream::repeat_with(move || {
            let _ = &told;
            Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 16 * 1024]))
        });
        async move { Body::from_stream(bytes) }
    });
    (Router::new().route("/", route), receiver)
}

#[tokio::test]
async fn whoever_does_not_take_an_answer_is_cut_off() {
    let (router, mut given_up) = endless();
    let server = Server::start(router, short()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    // Nothing is read. The connection stays open on this side all the while.
    timeout(PATIENCE, given_up.recv()).await.expect("in time").expect("given up");
    drop(stream);
}

#[tokio::test]
async fn whoever_takes_an_answer_byte_by_byte_is_cut_off_too() {
    let (router, mut given_up) = endless();
    let server = Server::start(router, short()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let drip = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if stream.read_u8().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = drip => {}
        told = timeout(PATIENCE, given_up.recv()) => assert!(told.is_ok(), "it went on for ever"),
    }
}

/// The same over HTTP/2, where the connection itself is not blocked: the client opens no window, and answers pings.
#[tokio::test]
async fn a_stream_that_nobody_takes_ends_and_others_on_the_connection_come() {
    let (router, mut given_up) = endless();
    let router = router.route("/quick", get(|| async { "quick" }));
    let server = Server::start(router, short()).await;
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    let (mut client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = |path: &str| http::Request::get(format!("http://x{path}")).body(()).expect("a request");
    let (stalled, _) = client.send_request(request("/"), true).expect("sent");
    let stalled = stalled.await.expect("a head");
    let (quick, _) = client.send_request(request("/quick"), true).expect("sent");
    assert_eq!(quick.await.expect("a head").status(), 200);
    timeout(PATIENCE, given_up.recv()).await.expect("in time").expect("given up");
    drop(stalled);
    drop(connection.await);
}

/// Silence is not slowness: a feed with nothing to tell outlasts the window.
#[tokio::test]
async fn a_silent_feed_is_not_cut_off() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let receiver = std::sync::Arc::new(std::sync::Mutex::new(Some(receiver)));
    let (_stop, shutdown) = Shutdown::pair();
    let route = get(move || {
        let events = receiver.lock().expect("unpoisoned").take().expect("one client");
        let events = stream::unfold(events, |mut events: mpsc::UnboundedReceiver<sse::ServerEvent>| async {
            events.recv().await.map(|event| (event, events))
        });
        let shutdown = shutdown.clone();
        async move { sse::respond(0, events, (shutdown, PATIENCE)) }
    });
    let window = Duration::from_millis(100);
    let server =
        Server::start(Router::new().route("/", route), ServerLimits { stall_window: window, ..short() })
            .await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut text = String::new();
    let mut bytes = [0; 4096];
    while !text.contains(": open 0") {
        let read = stream.read(&mut bytes).await.expect("read");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    // Many windows of silence.
    assert!(timeout(window * 10, stream.read(&mut bytes)).await.is_err(), "it was closed, or spoke");
    let event = sse::ServerEvent { id: "1".to_owned(), kind: "a".to_owned(), data: "late".to_owned() };
    sender.send(event).expect("the feed is open");
    while !text.contains("data: late") {
        let read = stream.read(&mut bytes).await.expect("read");
        assert_ne!(read, 0, "it was closed: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
}

#[tokio::test]
async fn a_body_that_drips_is_refused_when_its_time_is_over() {
    let asset = post(|Json(value, ..): Json<serde_json::Value, Management>| async move { value.to_string() });
    let surface = Surface::<Management>::new("test", Environment::system())
        .body_read_timeout(Duration::from_millis(300))
        .finish(Router::new().route("/", asset));
    let server = Server::start(surface, ServerLimits::default()).await;
    let mut stream = server.connect().await;
    let head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1000\r\n\r\n";
    stream.write_all(head).await.expect("sent");
    let (mut reading, mut writing) = stream.split();
    let drip = async {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if writing.write_all(b" ").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        () = drip => {}
        read = timeout(PATIENCE, reading.read_to_end(&mut answer)) => drop(read.expect("in time")),
    }
    assert!(answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
}

/// An answer that comes before the body has been sent whole arrives whole.
#[tokio::test]
async fn an_early_answer_is_not_lost_to_a_client_that_is_still_sending() {
    let refuse = post(|_: Request| async { (http::StatusCode::FORBIDDEN, "x".repeat(50_000)) });
    let server = Server::start(Router::new().route("/", refuse), ServerLimits::default()).await;
    for _ in 0..20 {
        let mut stream = server.connect().await;
        stream
            .write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n")
            .await
            .expect("sent");
        stream.write_all(&[b'y'; 400_000]).await.expect("sent, or at least taken");
        let answer = timeout(PATIENCE, Answer::read(&mut stream)).await.expect("in time");
        assert_eq!((answer.status, answer.body.len()), (403, 50_000));
    }
}

#[tokio::test]
async fn an_idle_connection_over_http2_ends() {
    let limits = ServerLimits { idle_timeout: Duration::from_millis(200), ..short() };
    let server = Server::start(Router::new().route("/", get(|| async { "hello" })), limits).await;
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    let (mut client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = http::Request::get("http://x/").body(()).expect("a request");
    let (answer, _) = client.send_request(request, true).expect("sent");
    let mut body = answer.await.expect("a head").into_body();
    while body.data().await.is_some() {}
    drop(timeout(PATIENCE, connection).await.expect("it ends, although the client keeps it"));
    drop((client, stream::empty::<()>().next()));
}
