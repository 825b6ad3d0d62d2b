//! What the participant's datasets stand for: `…/sources/{datasetId}`.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use futures::{Stream, StreamExt};
use heddle_clock::Timestamp;
use heddle_ids::{AssetId, ParticipantContextId};
use heddle_vault::Secret;
use heddle_web::{Json, Kind, Path, Plain, Refused, Rejection, Unread, reply};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::access::{SOURCES_READ, SOURCES_WRITE};
use crate::{
    DataPlane,
    blob::BlobError,
    source::{HttpOrigin, Origin, Source},
};

/// How long an upload may stand still.
const IDLE_MAX: Duration = Duration::from_secs(60);

type Plane = State<Arc<DataPlane>>;
type Outcome = Result<Response, Refused<Plain>>;
type OfDataset = Path<(ParticipantContextId, AssetId), Plain>;

pub(super) fn routes() -> Router<Arc<DataPlane>> {
    Router::new()
        .route("/{dataset}", get(show).put(describe).delete(remove))
        .route("/{dataset}/content", put(upload))
}

/// An HTTP origin, as a client describes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpSourceRequest {
    base_url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The value of the Authorization header that the origin wants. It is kept in the vault and never shown.
    #[serde(default)]
    authorization: Option<String>,
}

/// A source, as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "type")]
enum SourceResponse {
    #[serde(rename_all = "camelCase")]
    Upload { dataset_id: AssetId, length: u64, sha256: String, media_type: String, updated_at: String },
    #[serde(rename_all = "camelCase")]
    Http {
        dataset_id: AssetId,
        base_url: String,
        headers: BTreeMap<String, String>,
        authorized: bool,
        updated_at: String,
    },
}

impl From<Source> for SourceResponse {
    fn from(source: Source) -> Self {
        let (dataset_id, updated_at) = (source.dataset, Timestamp::to_string(&source.updated_at));
        match source.origin {
            Origin::Upload { blob, media_type } => {
                Self::Upload { dataset_id, length: blob.length, sha256: blob.sha256, media_type, updated_at }
            }
            Origin::Http(HttpOrigin { base_url, headers, authorized }) => {
                Self::Http { dataset_id, base_url, headers, authorized, updated_at }
            }
        }
    }
}

async fn show(State(plane): Plane, Path((context, dataset), ..): OfDataset, headers: HeaderMap) -> Outcome {
    let scope = plane.application(&headers, &context, &SOURCES_READ).await?;
    let source = plane.source(&scope, &dataset).await.map_err(Rejection::from)?;
    Ok(reply(StatusCode::OK, &SourceResponse::from(source)))
}

async fn describe(
    State(plane): Plane,
    Path((context, dataset), ..): OfDataset,
    headers: HeaderMap,
    body: Unread<Json<HttpSourceRequest, Plain>>,
) -> Outcome {
    let scope = plane.application(&headers, &context, &SOURCES_WRITE).await?;
    let Json(request, ..) = body.read().await?;
    let authorization = request.authorization.map(Secret::from_text);
    if let Some(value) = &authorization
        && http::HeaderValue::from_bytes(value.expose()).is_err()
    {
        return Err(Rejection::invalid("/authorization", "The value cannot be sent in a header.").into());
    }
    let origin = HttpOrigin::new(request.base_url, request.headers, authorization.is_some());
    let origin = origin.map_err(|error| Rejection::invalid(error.pointer, error.message))?;
    let source = plane.describe(&scope, dataset, origin, authorization).await.map_err(Rejection::from)?;
    Ok(reply(StatusCode::OK, &SourceResponse::from(source)))
}

/// The bytes themselves, of any media type.
async fn upload(
    State(plane): Plane,
    Path((context, dataset), ..): OfDataset,
    headers: HeaderMap,
    body: Body,
) -> Outcome {
    let scope = plane.application(&headers, &context, &SOURCES_WRITE).await?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > plane.upload_bytes_max) {
        let error = BlobError::TooLarge { bytes_max: plane.upload_bytes_max };
        return Err(Rejection::new(Kind::TooLarge, error.to_string()).into());
    }
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or("application/octet-stream").to_owned();
    let bytes = moving(body.into_data_stream()).boxed();
    let source = plane.upload(&scope, dataset, media_type, bytes).await.map_err(Rejection::from)?;
    Ok(reply(StatusCode::OK, &SourceResponse::from(source)))
}

/// Ends with an error when nothing comes for too long.
fn moving(
    bytes: impl Stream<Item = Result<bytes::Bytes, axum::Error>> + Send + Unpin + 'static,
) -> impl Stream<Item = io::Result<bytes::Bytes>> + Send {
    futures::stream::unfold(Some(bytes), async |bytes| {
        let mut bytes = bytes?;
        match timeout(IDLE_MAX, bytes.next()).await {
            Ok(next) => match next? {
                Ok(chunk) => Some((Ok(chunk), Some(bytes))),
                Err(error) => Some((Err(io::Error::other(error)), None)),
            },
            Err(_) => Some((Err(io::Error::from(io::ErrorKind::TimedOut)), None)),
        }
    })
}

async fn remove(State(plane): Plane, Path((context, dataset), ..): OfDataset, headers: HeaderMap) -> Outcome {
    let scope = plane.application(&headers, &context, &SOURCES_WRITE).await?;
    plane.remove_source(&scope, &dataset).await.map_err(Rejection::from)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
