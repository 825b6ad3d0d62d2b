//! Bytes for a permit, and for nothing else.
//!
//! Bytes are pulled from the source as fast as the consumer takes them, chunk by chunk; nothing is read ahead but
//! what lies in sockets and in one chunk. They stop as soon as the flow stops being open.

mod guarded;

use std::io;

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use heddle_outbound::Request;
use heddle_tenancy::FlowPermit;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::{
    DataPlane,
    blob::{BlobError, BlobOwner, StoredBlob},
    source::{HttpOrigin, Origin, ReadySource},
    table::{Closed, Opened},
    telling,
};

/// What of an origin's answer goes on to the consumer: what describes the bytes.
const PASSED_ON: [HeaderName; 6] = [
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
];

/// Bytes on their way to a consumer, with the headers that describe them.
pub(crate) struct Payload {
    pub(crate) headers: HeaderMap,
    /// None where only the headers were asked for.
    pub(crate) bytes: Option<BoxStream<'static, io::Result<Bytes>>>,
}

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    /// The flow is not opened.
    #[error(transparent)]
    Closed(#[from] Closed),
    /// The upload was replaced since it was looked up.
    #[error("the stored bytes are gone")]
    Replaced,
    /// The source fails. The reason is the provider's business, not the consumer's.
    #[error("the source of the data fails")]
    Source(String),
}

impl DataPlane {
    /// Opens a flow with an access token, and its bytes; with `HEAD` only what describes them.
    pub(crate) async fn fetch(
        &self,
        flow: &str,
        token: &str,
        method: &Method,
    ) -> Result<Payload, ProxyError> {
        let opened = self.table.open(flow, token).await?;
        telling::whose(&opened.permit);
        let (participant, dataset) = (opened.permit.participant().clone(), opened.dataset.clone());
        match self.payload(opened, method).await {
            // Another replica has taken a new upload a moment ago: look the source up again.
            Err(ProxyError::Replaced) => {
                self.table.forget_source(&participant, &dataset);
                let opened = self.table.open(flow, token).await?;
                self.payload(opened, method).await
            }
            other => other,
        }
    }

    async fn payload(&self, opened: Opened, method: &Method) -> Result<Payload, ProxyError> {
        let Opened { permit, source, open, .. } = opened;
        let payload = match &source.origin {
            Origin::Upload { blob, media_type } => self.upload_of(&permit, blob, media_type, method).await,
            Origin::Http(origin) => self.answer_of(origin, &source, method).await,
        };
        let payload = payload.inspect_err(|error| {
            if let ProxyError::Source(reason) = error {
                tracing::warn!(
                    component = "data-plane",
                    action = "fetch",
                    data_flow_id = %permit.flow(),
                    participant_context_id = %permit.participant(),
                    reason,
                    "the source of a flow fails"
                );
            }
        })?;
        let bytes = payload.bytes.map(|bytes| guarded::metered(guarded::while_open(bytes, open)).boxed());
        Ok(Payload { bytes, ..payload })
    }

    async fn upload_of(
        &self,
        permit: &FlowPermit,
        blob: &StoredBlob,
        media_type: &str,
        method: &Method,
    ) -> Result<Payload, ProxyError> {
        let mut headers = HeaderMap::new();
        if let Ok(media_type) = HeaderValue::from_str(media_type) {
            headers.insert(header::CONTENT_TYPE, media_type);
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(blob.length));
        if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", blob.sha256)) {
            headers.insert(header::ETAG, etag);
        }
        if method == Method::HEAD {
            return Ok(Payload { headers, bytes: None });
        }
        match self.blobs.open(&BlobOwner::from(permit), &blob.name).await {
            Ok(open) if open.length == blob.length => Ok(Payload { headers, bytes: Some(open.bytes) }),
            Ok(open) => {
                let reason =
                    format!("the upload has {} bytes where {} were stored", open.length, blob.length);
                Err(ProxyError::Source(reason))
            }
            Err(BlobError::Absent) => Err(ProxyError::Replaced),
            Err(error) => Err(ProxyError::Source(error.to_string())),
        }
    }

    async fn answer_of(
        &self,
        origin: &HttpOrigin,
        source: &ReadySource,
        method: &Method,
    ) -> Result<Payload, ProxyError> {
        let method = if method == Method::HEAD { Method::HEAD } else { Method::GET };
        let mut request = Request::new(method.clone(), origin.base_url.as_str()).accept("*/*");
        for (name, value) in origin.headers() {
            request = request.header(name, value);
        }
        if let Some(authorization) = &source.authorization {
            request = request.authorization(authorization.clone());
        }
        let response = self.outbound.stream(request).await;
        let response = response.map_err(|error| ProxyError::Source(error.to_string()))?;
        if !response.status().is_success() {
            return Err(ProxyError::Source(format!("{} answered {}", origin.base_url, response.status())));
        }
        let mut headers = HeaderMap::new();
        for name in PASSED_ON {
            if let Some(value) = response.headers().get(&name) {
                headers.insert(name, value.clone());
            }
        }
        let bytes = response.map(|chunk| chunk.map_err(io::Error::other)).boxed();
        Ok(Payload { headers, bytes: (method == Method::GET).then_some(bytes) })
    }
}
