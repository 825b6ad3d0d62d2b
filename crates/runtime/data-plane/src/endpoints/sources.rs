//! What the participant's datasets stand for.

use std::{io, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use futures::StreamExt;
use heddle_ids::{AssetId, ParticipantContextId};
use heddle_store::Transaction;
use heddle_tenancy::ParticipantScope;
use heddle_vault::Secret;
use heddle_web::{Json, Kind, Path, Plain, Refused, Rejection, reply};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};

use super::access::{SOURCES_READ, SOURCES_WRITE};
use crate::{
    DataPlane,
    blob::BlobError,
    source::{Origin, Source},
};

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
    /// The value of the Authorization header that the origin wants. It is kept in the vault and never shown.
    #[serde(default)]
    authorization: Option<String>,
}

/// A source, as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceResponse {
    dataset_id: AssetId,
    #[serde(flatten)]
    origin: Origin,
}

async fn show(State(plane): Plane, Path((context, dataset), ..): OfDataset, headers: HeaderMap) -> Outcome {
    let scope = plane.application(&headers, &context, &SOURCES_READ).await?;
    let loaded = plane.store.begin(&scope).load::<Source>(dataset.as_str()).await?;
    let source = loaded.ok_or_else(|| unknown(&dataset))?.into_value();
    Ok(reply(StatusCode::OK, &SourceResponse { dataset_id: source.dataset, origin: source.origin }))
}

async fn describe(
    State(plane): Plane,
    Path((context, dataset), ..): OfDataset,
    headers: HeaderMap,
    Json(request, ..): Json<HttpSourceRequest, Plain>,
) -> Outcome {
    let scope = plane.application(&headers, &context, &SOURCES_WRITE).await?;
    if !request.base_url.starts_with("http://") && !request.base_url.starts_with("https://") {
        return Err(Rejection::invalid("/baseUrl", "The base URL must begin with http:// or https://.").into());
    }
    let mut transaction = plane.store.begin(&scope);
    let authorized = request.authorization.is_some();
    if let Some(value) = request.authorization {
        let alias = Source::secret_alias(&dataset);
        let stored = plane.vault.store_secret_in(&mut transaction, &alias, &Secret::from_text(value)).await;
        stored.map_err(|error| Rejection::internal(&error))?;
    }
    let origin = Origin::Http { base_url: request.base_url, authorized };
    plane.set_source(&scope, transaction, dataset, origin).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn upload(
    State(plane): Plane,
    Path((context, dataset), ..): OfDataset,
    headers: HeaderMap,
    body: Body,
) -> Outcome {
    let scope = plane.application(&headers, &context, &SOURCES_WRITE).await?;
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or("application/octet-stream").to_owned();
    let bytes = body.into_data_stream().map(|chunk| chunk.map_err(io::Error::other)).boxed();
    let stored = plane.blobs.put(context.as_str(), bytes, plane.upload_bytes_max).await;
    let blob = stored.map_err(|error| match &error {
        BlobError::TooLarge { .. } => Rejection::new(Kind::TooLarge, error.to_string()),
        BlobError::BrokenOff(_) => Rejection::new(Kind::Malformed, error.to_string()),
        BlobError::Absent | BlobError::Storage(_) => Rejection::internal(&error),
    })?;
    let response = SourceResponse {
        dataset_id: dataset.clone(),
        origin: Origin::Upload { blob: blob.clone(), media_type: media_type.clone() },
    };
    let transaction = plane.store.begin(&scope);
    plane.set_source(&scope, transaction, dataset, Origin::Upload { blob, media_type }).await?;
    Ok(reply(StatusCode::OK, &response))
}

async fn remove(State(plane): Plane, Path((context, dataset), ..): OfDataset, headers: HeaderMap) -> Outcome {
    let scope = plane.application(&headers, &context, &SOURCES_WRITE).await?;
    let mut transaction = plane.store.begin(&scope);
    let loaded = transaction.load::<Source>(dataset.as_str()).await?.ok_or_else(|| unknown(&dataset))?;
    transaction.delete(&loaded);
    transaction.commit().await?;
    plane.forget_source(&scope, loaded.value()).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn unknown(dataset: &AssetId) -> Rejection {
    Rejection::new(Kind::NotFound, format!("The dataset '{dataset}' has no source."))
}

impl DataPlane {
    /// Sets the source of a dataset; what it replaces is given up once the new one is stored.
    async fn set_source(
        &self,
        scope: &ParticipantScope,
        mut transaction: Transaction<'_>,
        dataset: AssetId,
        origin: Origin,
    ) -> Result<(), Rejection> {
        let loaded = transaction.load::<Source>(dataset.as_str()).await?;
        let source = Source { dataset, origin, created_at: transaction.now() };
        match &loaded {
            Some(loaded) => transaction.save(loaded, &source),
            None => transaction.insert(&source),
        }
        transaction.commit().await?;
        self.table.forget_origin(scope.participant(), source.dataset.as_str());
        if let Some(old) = loaded {
            self.forget_source(scope, old.value()).await;
        }
        Ok(())
    }

    /// Gives up what an old source refers to. Downloads under way keep the file that they have open.
    async fn forget_source(&self, scope: &ParticipantScope, source: &Source) {
        let Origin::Upload { blob, .. } = &source.origin else { return };
        if let Err(error) = self.blobs.delete(scope.participant().as_str(), &blob.name).await {
            tracing::warn!(component = "data-plane", action = "forget", %error, "an old upload stays");
        }
    }
}
