//! What goes around every stream of bytes.

use std::io;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use tokio::sync::watch;

/// Ends with an error as soon as the flow stops being open: a consumer must not take half for the whole.
pub(super) fn while_open(
    bytes: BoxStream<'static, io::Result<Bytes>>,
    open: watch::Receiver<bool>,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    futures::stream::unfold(Some((bytes, open)), async |state| {
        let (mut bytes, mut open) = state?;
        let next = tokio::select! {
            // A closed flow wins over bytes that are there. A table that is gone closes it, too.
            biased;
            _ = open.wait_for(|open| !*open) => Some(Err(io::Error::other("the flow was closed"))),
            next = bytes.next() => next,
        };
        match next? {
            Ok(chunk) => Some((Ok(chunk), Some((bytes, open)))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// Counts what goes out.
pub(super) fn metered(
    bytes: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let counter = metrics::counter!("heddle_flow_bytes_total", "direction" => "out");
    bytes.inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            counter.increment(chunk.len() as u64);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_end_with_an_error_when_the_flow_is_closed() {
        let (sender, open) = watch::channel(true);
        let first = futures::stream::once(std::future::ready(Ok(Bytes::from_static(b"half"))));
        let endless = first.chain(futures::stream::pending()).boxed();
        let mut bytes = Box::pin(while_open(endless, open));
        assert_eq!(bytes.next().await.expect("one").expect("bytes").as_ref(), b"half");
        sender.send_replace(false);
        assert!(bytes.next().await.expect("the end").is_err());
        assert!(bytes.next().await.is_none());
    }

    #[tokio::test]
    async fn a_closed_flow_wins_over_bytes_that_are_there() {
        let (_sender, open) = watch::channel(false);
        let endless = futures::stream::repeat_with(|| Ok(Bytes::from_static(b"more"))).boxed();
        assert!(Box::pin(while_open(endless, open)).next().await.expect("the end").is_err());
    }

    #[tokio::test]
    async fn bytes_of_an_open_flow_come_whole() {
        let (_sender, open) = watch::channel(true);
        let chunks = ["a", "b"].map(|text| Ok(Bytes::from_static(text.as_bytes())));
        let all: Vec<_> = while_open(futures::stream::iter(chunks).boxed(), open).collect().await;
        assert_eq!(all.len(), 2);
    }
}
