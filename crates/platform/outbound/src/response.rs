//! What came back.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::{Sleep, sleep};

use crate::{OutboundError, excerpt, turns::Turn};

/// A successful answer (2xx) with its whole body.
pub struct Response {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    /// The status, one of 2xx.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, at most `body_bytes_max` of the client.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body as JSON, whatever its media type says; an error names the place by a JSON pointer.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, OutboundError> {
        let mut deserializer = serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|e| OutboundError::Malformed {
            subject: format!("the answer of {}", self.url),
            reason: excerpt::shortened(&format!("at {}: {}", e.path(), e.inner()), 300),
        })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} from {}, {} bytes)", self.status, self.url, self.body.len())
    }
}

/// An answer whose body is still coming: a stream of bytes, pulled only as fast as it is read.
///
/// There is no limit on its whole length or time; when no byte comes for the client's `idle_timeout` while
/// somebody waits for one, it ends with [`OutboundError::Timeout`].
pub struct StreamingResponse {
    url: String,
    status: StatusCode,
    headers: HeaderMap,
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    idle_timeout: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    ended: bool,
    /// Somebody else's when this is dropped.
    _turn: Option<Turn>,
}

impl StreamingResponse {
    pub(crate) fn new(
        url: String,
        response: reqwest::Response,
        idle_timeout: Duration,
        turn: Option<Turn>,
    ) -> Self {
        Self {
            url,
            status: response.status(),
            headers: response.headers().clone(),
            bytes: response.bytes_stream().boxed(),
            idle_timeout,
            deadline: None,
            ended: false,
            _turn: turn,
        }
    }

    /// The status; any but a redirect.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers, hop-by-hop headers among them.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The error that [`crate::Outbound::send`] would have given for an answer that is no success, without its body.
    #[must_use]
    pub fn refused(&self) -> OutboundError {
        OutboundError::Status {
            url: self.url.clone(),
            status: self.status,
            body_excerpt: "its body was not read".to_owned(),
            retry_after: None,
        }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, OutboundError>>> {
        if let Poll::Ready(next) = self.bytes.poll_next_unpin(cx) {
            self.deadline = None;
            return Poll::Ready(next.map(|chunk| {
                chunk.map_err(|e| OutboundError::Unreachable {
                    url: self.url.clone(),
                    reason: excerpt::causes(&e.without_url()),
                })
            }));
        }
        let idle = self.idle_timeout;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(idle)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Some(Err(OutboundError::Timeout { url: self.url.clone(), after: idle })))
    }
}

impl Stream for StreamingResponse {
    type Item = Result<Bytes, OutboundError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        let next = ready!(this.poll_bytes(cx));
        // After an error nothing that follows could be trusted.
        this.ended = !matches!(next, Some(Ok(_)));
        Poll::Ready(next)
    }
}

impl fmt::Debug for StreamingResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamingResponse({} from {})", self.status, self.url)
    }
}
