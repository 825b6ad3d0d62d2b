//! A client of raw HTTP/1.1, so that tests see exactly what comes when.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::server::PATIENCE;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: String,
}

impl Answer {
    /// Whether the connection ends with it.
    pub fn is_last(&self) -> bool {
        self.head.contains("\r\nconnection: close")
    }
}

/// A kept connection.
pub struct Client(TcpStream);

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// Sends the beginning of a request, and nothing more.
    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("sent");
    }

    /// Asks; nothing when the connection ends before the first byte of an answer. Half an answer is a failure.
    pub async fn get(&mut self, path: &str) -> Option<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.0.peer_addr().ok()?);
        self.0.write_all(request.as_bytes()).await.ok()?;
        timeout(PATIENCE, self.read()).await.expect("an answer, or the end")
    }

    /// Reads one answer with a length.
    pub async fn read(&mut self) -> Option<Answer> {
        let mut text = Vec::new();
        loop {
            let mut bytes = vec![0; 16 * 1024];
            let read = match self.0.read(&mut bytes).await {
                Ok(0) | Err(_) => {
                    assert!(text.is_empty(), "half an answer: {}", String::from_utf8_lossy(&text));
                    return None;
                }
                Ok(read) => read,
            };
            text.extend_from_slice(&bytes[..read]);
            let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let length: usize = length.expect("a length");
            if text.len() < end + 4 + length {
                continue;
            }
            let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
            let body = String::from_utf8_lossy(&text[end + 4..]).into_owned();
            return Some(Answer { status, head, body });
        }
    }
}

/// One request on a connection of its own.
pub async fn get(address: SocketAddr, path: &str) -> Answer {
    Client::connect(address).await.get(path).await.expect("an answer")
}
