//! HTTP origins: what they are asked with, and how much is read ahead of a slow consumer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

use crate::support::{Site, World};

/// Length of the body that the endless origin announces.
const ANNOUNCED: u64 = 1024 * 1024 * 1024;
/// Most that may lie between the origin and a consumer that has stopped: the buffers of two sockets, and a chunk.
const READ_AHEAD_MAX: u64 = 24 * 1024 * 1024;

/// Reads the head of a request.
async fn head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.expect("a request"));
    }
    String::from_utf8(text).expect("text").to_lowercase()
}

/// An origin that gives every request to `serve`; its URL.
pub async fn origin<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream, String) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/data?of=it", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = head(&mut stream).await;
            tokio::spawn(serve(stream, request));
        }
    });
    url
}

#[tokio::test]
async fn an_origin_is_asked_with_its_headers_and_its_secret() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    let (requests, mut asked) = mpsc::unbounded_channel();
    let url = origin(move |mut stream, request| {
        requests.send(request).expect("the test listens");
        async move {
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: 4\r\netag: \"v1\"\r\n\
                          set-cookie: secret=1\r\nconnection: close\r\n\r\na;b\n";
            stream.write_all(answer.as_bytes()).await.expect("taken");
        }
    })
    .await;
    let body = json!({"baseUrl": url, "headers": {"X-Tenant": "t1"}, "authorization": "Basic s3cret"});
    site.own("PUT", "sources/file", &body).await.expect(StatusCode::OK);
    let address = site.start("f", "file").await;
    let data = world.fetch(&address).await.expect(StatusCode::OK);
    assert_eq!(&data.body[..], b"a;b\n");
    assert_eq!((data.header("content-type"), data.header("etag")), ("text/csv", "\"v1\""));
    assert_eq!(data.header("content-length"), "4");
    assert!(!data.headers.contains_key("set-cookie"), "cookies of an origin are not for consumers");
    let request = asked.recv().await.expect("asked");
    assert!(request.starts_with("get /data?of=it http/1.1"), "{request}");
    assert!(request.contains("x-tenant: t1") && request.contains("authorization: basic s3cret"), "{request}");
    assert!(!request.contains(&address.token.to_lowercase()), "the consumer's token stays here: {request}");

    let head = world.call("HEAD", &address.path, &address.token, &serde_json::Value::Null).await;
    assert_eq!(head.expect(StatusCode::OK).header("content-length"), "4");
    assert!(asked.recv().await.expect("asked").starts_with("head /data"));
}

#[tokio::test]
async fn an_origin_that_fails_is_a_bad_gateway_without_its_inside() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    let url = origin(|mut stream, _| async move {
        let answer = "HTTP/1.1 500 Oh\r\ncontent-length: 8\r\nconnection: close\r\n\r\npassword";
        stream.write_all(answer.as_bytes()).await.expect("taken");
    })
    .await;
    for (flow, url) in [("f1", url.as_str()), ("f2", "http://127.0.0.1:1/"), ("f3", "http://name.invalid/")] {
        site.own("PUT", "sources/file", &json!({"baseUrl": url})).await.expect(StatusCode::OK);
        let address = site.start(flow, "file").await;
        let answer = world.fetch(&address).await.expect(StatusCode::BAD_GATEWAY);
        let text = String::from_utf8_lossy(&answer.body);
        assert!(!text.contains("password") && !text.contains("127.0.0.1"), "{text}");
    }
}

/// Sends as long as somebody takes it, and tells when nobody does any more.
async fn endless(mut stream: TcpStream, sent: Arc<AtomicU64>, stalled: mpsc::UnboundedSender<()>) {
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {ANNOUNCED}\r\n\r\n");
    stream.write_all(announced.as_bytes()).await.expect("taken");
    let chunk = vec![1_u8; 64 * 1024];
    while sent.load(Ordering::SeqCst) < ANNOUNCED {
        match timeout(Duration::from_secs(1), stream.write(&chunk)).await {
            Ok(Ok(count)) => drop(sent.fetch_add(count as u64, Ordering::SeqCst)),
            Ok(Err(_)) => return,
            Err(_) => stalled.send(()).unwrap_or_default(),
        }
    }
}

#[tokio::test]
async fn a_slow_consumer_makes_the_origin_wait() {
    let world = World::start().await;
    let site = Site::new(&world, "alice", &json!({})).await;
    let sent = Arc::new(AtomicU64::new(0));
    let (stall, mut stalled) = mpsc::unbounded_channel();
    let url = origin({
        let sent = sent.clone();
        move |stream, _| endless(stream, sent.clone(), stall.clone())
    })
    .await;
    site.own("PUT", "sources/file", &json!({"baseUrl": url})).await.expect(StatusCode::OK);
    let address = site.start("f", "file").await;
    let response = world.send("GET", &address.path, &address.token, Body::empty()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    let mut taken = 0;
    for _ in 0..3 {
        while stalled.try_recv().is_ok() {}
        stalled.recv().await.expect("the origin stands still");
        let ahead = sent.load(Ordering::SeqCst) - taken;
        assert!(ahead <= READ_AHEAD_MAX, "{ahead} bytes were read ahead");
        let goal = taken + 32 * 1024 * 1024;
        while taken < goal {
            taken +=
                body.frame().await.expect("a frame").expect("bytes").into_data().expect("data").len() as u64;
        }
    }
}
