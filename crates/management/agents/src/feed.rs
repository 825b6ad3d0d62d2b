//! Waits for events of a participant's feed (server-sent events, WHATWG HTML §9.2).
//!
//! Deliberately absent: resuming. A run that loses its feed ends, and the next one looks at what is.

use futures::StreamExt;
use heddle_agent::{AdminClient, CallError};
use heddle_outbound::{Request, StreamingResponse};
use serde::Deserialize;
use serde_json::Value;

/// Longest block of a feed, in bytes.
const BLOCK_BYTES_MAX: usize = 1024 * 1024;

/// An event of a feed.
#[derive(Debug, Deserialize)]
pub(crate) struct FeedEvent {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) payload: Value,
}

/// An open feed: what happens from now on is seen.
pub(crate) struct Feed {
    response: StreamingResponse,
    buffer: Vec<u8>,
}

impl Feed {
    /// Opens a feed and waits for its first comment, after which nothing is missed.
    pub(crate) async fn open(client: &AdminClient, url: &str) -> Result<Self, CallError> {
        let response = client.stream(Request::get(url).accept("text/event-stream")).await?;
        let mut feed = Self { response, buffer: Vec::new() };
        feed.block().await;
        Ok(feed)
    }

    /// The next event that `wanted` accepts; none when the feed breaks off.
    pub(crate) async fn wait(&mut self, wanted: impl Fn(&FeedEvent) -> bool) -> Option<FeedEvent> {
        loop {
            let block = self.block().await?;
            let data: String = block.lines().filter_map(|line| line.strip_prefix("data:")).collect();
            if let Ok(event) = serde_json::from_str::<FeedEvent>(&data)
                && wanted(&event)
            {
                return Some(event);
            }
        }
    }

    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&block).into_owned());
            }
            let bytes = self.response.next().await?.ok()?;
            if self.buffer.len() + bytes.len() > BLOCK_BYTES_MAX {
                return None;
            }
            self.buffer.extend_from_slice(&bytes);
        }
    }
}
