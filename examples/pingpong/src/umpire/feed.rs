//! A client of server-sent events that misses none.

use futures::StreamExt as _;
use heddle_outbound::{Request, StreamingResponse};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{PAUSE, Umpire, insist};

/// An event of a participant context.
#[derive(Debug, Deserialize)]
pub struct Told {
    /// Its place in the order.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The game.
    pub subject: String,
    /// What it tells, as JSON text.
    pub payload: Box<RawValue>,
}

/// Events of a participant context, one after the other, over every break of the connection.
#[derive(Debug)]
pub struct Feed {
    umpire: Umpire,
    url: String,
    last: String,
    open: Option<StreamingResponse>,
    buffer: Vec<u8>,
}

impl Feed {
    pub(super) fn new(umpire: Umpire, url: String) -> Self {
        Self { umpire, url, last: "0".to_owned(), open: None, buffer: Vec::new() }
    }

    /// Where it comes from.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next event; waits for it.
    ///
    /// # Errors
    /// When the feed cannot be opened (again).
    pub async fn next(&mut self) -> anyhow::Result<Told> {
        loop {
            let Some(block) = self.block().await else {
                self.connect().await?;
                continue;
            };
            let data = block.lines().find_map(|line| line.strip_prefix("data: "));
            // Without data it is a comment: the feed is open, or alive.
            if let Some(data) = data {
                let told: Told = serde_json::from_str(data)?;
                self.last.clone_from(&told.id);
                return Ok(told);
            }
        }
    }

    /// The text up to the next empty line; none when the connection has ended before, or there is none.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&block).into_owned());
            }
            match self.open.as_mut()?.next().await {
                Some(Ok(bytes)) => self.buffer.extend(bytes),
                Some(Err(_)) | None => self.open = None,
            }
        }
    }

    async fn connect(&mut self) -> anyhow::Result<()> {
        self.buffer.clear();
        let Self { umpire, url, last, .. } = self;
        let last = HeaderValue::from_str(last)?;
        let opened = insist(|| async {
            let request = Request::get(url.as_str())
                .accept("text/event-stream")
                .header(HeaderName::from_static("last-event-id"), last.clone())
                .authorization(umpire.authorization().await?);
            umpire.outbound.stream(request).await
        });
        let response = opened.await?;
        // A gateway in front of servers that start answers by itself.
        if response.status().is_server_error() {
            tokio::time::sleep(PAUSE).await;
            return Ok(());
        }
        anyhow::ensure!(response.status().is_success(), "the feed {url} answered {}", response.status());
        self.open = Some(response);
        Ok(())
    }
}
