//! Follows a feed of server-sent events; a broken connection is opened again where it ended.

use std::time::Duration;

use futures::StreamExt;
use heddle_outbound::{Request, StreamingResponse};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::client::{Client, ClientError};

/// Longest wait for one event at a server that is there; whenever it was away and has come back, it begins anew.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest wait for one event, however often the server is away.
const PATIENCE_LONGEST: Duration = Duration::from_secs(15 * 60);
/// How often a feed is opened that breaks before it says where it begins.
const OPENINGS_MAX: u32 = 10;
/// Longest line of a feed, in bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// One event of a feed.
#[derive(Debug, Clone, Deserialize)]
pub struct FeedEvent {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it tells.
    #[serde(default)]
    pub payload: Value,
}

impl FeedEvent {
    /// Whether the text member `name` of the payload is `value`.
    pub fn tells(&self, name: &str, value: &str) -> bool {
        self.payload[name].as_str() == Some(value)
    }
}

/// An open feed. What came before it was opened is not seen, what comes after is, whenever it is asked for.
pub struct Feed {
    client: Client,
    path: String,
    last: Option<String>,
    response: Option<StreamingResponse>,
    buffer: Vec<u8>,
    /// How often it was connected.
    connections: u64,
}

impl Feed {
    /// Opens the feed and waits until the server says that it is open.
    pub async fn open(client: &Client, path: &str) -> Result<Self, ClientError> {
        let (client, path) = (client.clone(), path.to_owned());
        let mut feed = Self { client, path, last: None, response: None, buffer: Vec::new(), connections: 0 };
        feed.connect().await?;
        Ok(feed)
    }

    /// The next event that `wanted` accepts; the others are passed over.
    pub async fn wait(
        &mut self,
        what: &str,
        wanted: impl Fn(&FeedEvent) -> bool,
    ) -> Result<FeedEvent, ClientError> {
        let begun = Instant::now();
        let give_up = begun + PATIENCE_LONGEST;
        let (mut patient_since, mut connections) = (begun, self.connections);
        loop {
            let until = (patient_since + PATIENCE).min(give_up);
            match timeout_at(until, self.next()).await {
                Ok(Ok(event)) if wanted(&event) => return Ok(event),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) if connections == self.connections || Instant::now() >= give_up => {
                    let seconds = begun.elapsed().as_secs();
                    return Err(ClientError::Waited(format!("no event told within {seconds} s that {what}")));
                }
                Err(_) => {}
            }
            if connections != self.connections {
                (patient_since, connections) = (Instant::now(), self.connections);
            }
        }
    }

    async fn next(&mut self) -> Result<FeedEvent, ClientError> {
        loop {
            let block = self.block().await?;
            let (mut id, mut data) = (None, String::new());
            for line in block.lines() {
                match line.split_once(':') {
                    Some(("id", value)) => id = Some(value.trim().to_owned()),
                    Some(("data", value)) => data.push_str(value.strip_prefix(' ').unwrap_or(value)),
                    Some(("", comment)) => self.note_place(comment),
                    _ => {}
                }
            }
            if id.is_some() {
                self.last = id;
            }
            if let Ok(event) = serde_json::from_str(&data) {
                return Ok(event);
            }
        }
    }

    /// The opening comment `: open <place>` tells where the feed begins, should it break before its first event.
    fn note_place(&mut self, comment: &str) {
        if let Some(place) = comment.trim().strip_prefix("open ") {
            self.last = Some(place.trim().to_owned());
        }
    }

    /// The text up to the next blank line, over reconnections.
    async fn block(&mut self) -> Result<String, ClientError> {
        loop {
            match self.received().await {
                Some(block) => return Ok(block),
                None => self.connect().await?,
            }
        }
    }

    /// The text up to the next blank line; nothing when the connection has ended before, or is there none.
    async fn received(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&block).into_owned());
            }
            match self.response.as_mut()?.next().await {
                Some(Ok(bytes)) if self.buffer.len() + bytes.len() <= LINE_BYTES_MAX => {
                    self.buffer.extend(bytes.iter().filter(|byte| **byte != b'\r'));
                }
                // Broken off, ended or absurdly long: begin again behind the last whole event.
                _ => self.response = None,
            }
        }
    }

    async fn connect(&mut self) -> Result<(), ClientError> {
        let last = self.last.clone();
        let url = format!("{}{}", self.client.base(), self.path);
        let request = || {
            let request = Request::get(url.clone()).accept("text/event-stream");
            match last.as_deref().and_then(|last| HeaderValue::from_str(last).ok()) {
                Some(last) => request.header(HeaderName::from_static("last-event-id"), last),
                None => request,
            }
        };
        let mut openings = 0;
        loop {
            self.buffer.clear();
            self.response = Some(self.client.open(request).await?);
            self.connections += 1;
            if self.last.is_some() {
                return Ok(());
            }
            // The opening comment; from here on nothing is missed.
            if let Some(opening) = self.received().await {
                opening.lines().filter_map(|line| line.strip_prefix(':')).for_each(|c| self.note_place(c));
                return Ok(());
            }
            openings += 1;
            if openings == OPENINGS_MAX {
                return Err(ClientError::Waited(format!("the feed {url} ends before it begins")));
            }
        }
    }
}
