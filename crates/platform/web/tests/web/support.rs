//! A client of raw HTTP/1.1, so that tests see exactly what is on the wire.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use heddle_web::{ServerLimits, Shutdown, Stop, Tls, bind, serve, serve_tls};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

/// A running server.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    stop: Stop,
    task: JoinHandle<()>,
}

impl Server {
    /// Over TLS.
    pub async fn secure(router: Router, limits: ServerLimits, tls: Arc<Tls>) -> Self {
        let listener = bind("127.0.0.1:0".parse().expect("an address")).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, shutdown) = Shutdown::pair();
        let task = tokio::spawn(serve_tls((listener, tls), router, limits, shutdown));
        Self { address, stop, task }
    }

    pub async fn start(router: Router, limits: ServerLimits) -> Self {
        let listener = bind("127.0.0.1:0".parse().expect("an address")).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, shutdown) = Shutdown::pair();
        let task = tokio::spawn(serve(listener, router, limits, shutdown));
        Self { address, stop, task }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// The process leaves.
    pub fn leave(&self) {
        self.stop.leave();
    }

    /// Asks the server to stop; what is given ends when it has.
    pub fn stop(self) -> JoinHandle<()> {
        self.stop.stop();
        self.task
    }

    /// Sends one request with `Connection: close` and reads to the end.
    pub async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = self.connect().await;
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(text.as_bytes()).await.expect("sent");
        Answer::read(&mut stream).await
    }
}

/// An answer, read until the server closed the connection.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("read");
        let text = String::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}
