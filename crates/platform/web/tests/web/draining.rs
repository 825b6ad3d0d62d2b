//! Leaving and stopping: what is said to whom, and that nothing is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use heddle_web::ServerLimits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    time::timeout,
};

use crate::support::{Answer, Server};

const PATIENCE: Duration = Duration::from_secs(60);

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

#[tokio::test]
async fn who_leaves_answers_still_and_closes_with_each_answer() {
    let server = Server::start(hello(), ServerLimits::default()).await;
    let mut kept = server.connect().await;
    kept.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut head = [0; 15];
    kept.read_exact(&mut head).await.expect("answered");
    server.leave();
    let mut text = vec![0; 64 * 1024];
    // The rest of the first answer, and then nothing: the connection stays.
    let read = kept.read(&mut text).await.expect("read");
    assert!(!String::from_utf8_lossy(&text[..read]).contains("connection: close"));
    kept.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let second = timeout(PATIENCE, Answer::read(&mut kept)).await.expect("closed after the answer");
    assert_eq!((second.status, second.header("connection")), (200, Some("close")), "{second:?}");
    // New connections are taken all the same.
    let mut new = server.connect().await;
    new.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let third = timeout(PATIENCE, Answer::read(&mut new)).await.expect("closed after the answer");
    assert_eq!((third.status, third.header("connection")), (200, Some("close")), "{third:?}");
}

#[tokio::test]
async fn over_http2_a_goaway_comes_and_what_is_under_way_is_answered() {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, wait) = (entered.clone(), leave.clone());
    let slow = get(move || async move {
        enter.notify_one();
        wait.notified().await;
        "finished"
    });
    let server = Server::start(hello().route("/slow", slow), ServerLimits::default()).await;
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    let (mut client, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = |path: &str| http::Request::get(format!("http://x{path}")).body(()).expect("a request");
    let (answer, _) = client.send_request(request("/slow"), true).expect("sent");
    entered.notified().await;
    server.leave();
    // A client that has been told to go away opens no more streams.
    let refused = async {
        while let Ok(ready) = client.clone().ready().await {
            client = ready;
            let Ok((answer, _)) = client.send_request(request("/"), true) else { return };
            if answer.await.is_err() {
                return;
            }
        }
    };
    timeout(PATIENCE, refused).await.expect("the word to go away comes");
    leave.notify_one();
    let answer = answer.await.expect("a head");
    assert_eq!(answer.status(), 200);
    let mut body = answer.into_body();
    assert_eq!(&body.data().await.expect("a body").expect("whole")[..], b"finished");
    timeout(PATIENCE, connection)
        .await
        .expect("closed when the last one is answered")
        .expect("no panic")
        .expect("in order");
}

/// Connections that are used all the time, and a stop in the middle: no request that was sent gets half an answer, and
/// none is worked on without one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_loses_no_request() {
    const CLIENTS: usize = 100;
    let handled = Arc::new(AtomicUsize::new(0));
    let count = handled.clone();
    let route = get(move || async move {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
        "x".repeat(10_000)
    });
    // A machine with a lot to do may let a client rest for longer than usual.
    let limits = ServerLimits { linger: Duration::from_secs(10), ..ServerLimits::default() };
    let server = Server::start(Router::new().route("/", route), limits).await;
    let address = server.address;
    let (under_load, started) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (under_load, started) = (under_load.clone(), started.clone());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("a connection");
                let mut answered = 0;
                loop {
                    match ask(&mut stream).await {
                        Some(last) => {
                            answered += 1;
                            if answered == 3 && started.fetch_add(1, Ordering::SeqCst) + 1 == CLIENTS {
                                under_load.notify_one();
                            }
                            if last {
                                return (answered, 0);
                            }
                        }
                        None => return (answered, 1),
                    }
                }
            })
        })
        .collect();
    under_load.notified().await;
    let stopped = server.stop();
    let (mut answered, mut refused) = (0, 0);
    for client in clients {
        let (more, without) = timeout(PATIENCE, client).await.expect("in time").expect("no half answer");
        answered += more;
        refused += without;
    }
    timeout(PATIENCE, stopped).await.expect("in time").expect("no panic");
    assert_eq!(handled.load(Ordering::SeqCst), answered, "whatever was worked on was answered");
    // A connection that ended without an answer was never looked at. With clients that never rest there is none.
    assert_eq!(refused, 0);
}

/// One request on a kept connection: whether it was the last one, or nothing when the connection ended before a byte of
/// an answer.
async fn ask(stream: &mut TcpStream) -> Option<bool> {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.ok()?;
    let mut text = Vec::new();
    loop {
        let mut bytes = vec![0; 16 * 1024];
        let read = match stream.read(&mut bytes).await {
            Ok(0) | Err(_) => {
                assert!(text.is_empty(), "half an answer");
                return None;
            }
            Ok(read) => read,
        };
        text.extend_from_slice(&bytes[..read]);
        let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        if text.len() == end + 4 + 10_000 {
            let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
            assert!(head.starts_with("http/1.1 200"), "{head}");
            return Some(head.contains("connection: close"));
        }
    }
}
