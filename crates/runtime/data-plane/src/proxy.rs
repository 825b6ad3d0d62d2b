//! Bytes for a permit, and for nothing else.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use heddle_ids::AssetId;
use heddle_outbound::{Authorization, Request};
use heddle_tenancy::{Actor, FlowPermit};
use tokio::sync::watch;

use crate::{
    DataPlane,
    source::{Origin, Source},
    table::Opened,
};

/// Bytes on their way to a consumer, with what is known of them.
pub(crate) struct Payload {
    pub(crate) media_type: Option<String>,
    pub(crate) length: Option<u64>,
    pub(crate) etag: Option<String>,
    pub(crate) bytes: BoxStream<'static, io::Result<Bytes>>,
}

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    /// The source fails: 502.
    #[error("the source of the data does not answer")]
    Source(String),
}

impl DataPlane {
    /// Opens the bytes of a flow. They stop when the flow stops being open.
    pub(crate) async fn payload(&self, opened: Opened) -> Result<Payload, ProxyError> {
        let Opened { permit, origin, dataset, open } = opened;
        let payload = match origin.as_ref() {
            Origin::Upload { blob, media_type } => {
                let bytes = self.blobs.open(permit.participant().as_str(), &blob.name).await;
                Payload {
                    media_type: Some(media_type.clone()),
                    length: Some(blob.length),
                    etag: Some(format!("\"{}\"", blob.sha256)),
                    bytes: bytes.map_err(|error| ProxyError::Source(error.to_string()))?,
                }
            }
            Origin::Http { base_url, authorized } => {
                self.from_origin(&permit, base_url, authorized.then_some(dataset.as_str())).await?
            }
        };
        let bytes = metered(while_open(payload.bytes, open)).boxed();
        Ok(Payload { bytes, ..payload })
    }

    async fn from_origin(
        &self,
        permit: &FlowPermit,
        url: &str,
        secret_of: Option<&str>,
    ) -> Result<Payload, ProxyError> {
        let failed = |reason: String| {
            tracing::warn!(component = "data-plane", action = "fetch", flow = %permit.flow(), reason, "no data");
            ProxyError::Source(reason)
        };
        let mut request = Request::get(url).accept("*/*");
        if let Some(dataset) = secret_of {
            let dataset = AssetId::parse(dataset).map_err(|error| failed(error.to_string()))?;
            let scope = self.scopes.participant(permit.participant().clone(), Actor::new("data plane"));
            let secret = self.vault.secret(&scope, &Source::secret_alias(&dataset)).await;
            let secret = secret.map_err(|error| failed(error.to_string()))?;
            let value = secret.as_ref().and_then(|secret| secret.expose_text());
            let value = value.ok_or_else(|| failed("the origin's Authorization value is missing".to_owned()))?;
            request = request.authorization(Authorization::verbatim(value));
        }
        let response = self.outbound.stream(request).await.map_err(|error| failed(error.to_string()))?;
        if !response.status().is_success() {
            return Err(failed(format!("the origin answered {}", response.status())));
        }
        let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Payload {
            media_type: header(http::header::CONTENT_TYPE),
            length: header(http::header::CONTENT_LENGTH).and_then(|text| text.parse().ok()),
            etag: header(http::header::ETAG),
            bytes: response.map(|chunk| chunk.map_err(io::Error::other)).boxed(),
        })
    }
}

/// Ends with an error as soon as the flow stops being open: a consumer must not take half for the whole.
fn while_open(
    bytes: BoxStream<'static, io::Result<Bytes>>,
    open: watch::Receiver<bool>,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    futures::stream::unfold(Some((bytes, open)), |state| async {
        let (mut bytes, mut open) = state?;
        let next = tokio::select! {
            // A closed flow wins over bytes that are there.
            biased;
            _ = open.wait_for(|open| !*open) => Some(Err(io::Error::other("the flow was closed"))),
            next = bytes.next() => next,
        };
        match next {
            Some(Ok(chunk)) => Some((Ok(chunk), Some((bytes, open)))),
            Some(Err(error)) => Some((Err(error), None)),
            None => None,
        }
    })
}

fn metered(
    bytes: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let counter = Arc::new(metrics::counter!("heddle_flow_bytes_total", "direction" => "out"));
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
    async fn bytes_of_an_open_flow_come_whole() {
        let (_sender, open) = watch::channel(true);
        let chunks = ["a", "b"].map(|text| Ok(Bytes::from_static(text.as_bytes())));
        let bytes = while_open(futures::stream::iter(chunks).boxed(), open);
        let all: Vec<_> = bytes.collect().await;
        assert_eq!(all.len(), 2);
    }
}
