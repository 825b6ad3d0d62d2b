//! The catalog endpoints (DSP 2025-1 §"Catalog HTTPS Binding").

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use heddle_dsp::{
    catalog::{ContinuationToken, Link, Relation},
    wire::{self, CatalogRequestMessage},
};
use heddle_ids::{ParticipantContextId, ProfileName};
use heddle_web::{JsonBytes, Path, Query, reply};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::{
    address, authorization,
    errors::{CatalogSurface, Refusal},
};
use crate::{
    ControlPlane,
    catalog::{CatalogPage, Filter, Wanted},
    negotiation::ProtocolError,
};

type Plane = State<Arc<ControlPlane>>;

/// Routes below `/api/dsp/{context}/{profile}/catalog`.
pub(super) fn routes() -> Router<Arc<ControlPlane>> {
    Router::new().route("/request", post(catalog)).route("/datasets/{id}", get(dataset))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Continuation {
    #[serde(default)]
    continuation_token: Option<String>,
}

async fn catalog(
    State(plane): Plane,
    Path((context, profile), ..): Path<(ParticipantContextId, ProfileName), CatalogSurface>,
    Query(continuation, ..): Query<Continuation, CatalogSurface>,
    headers: HeaderMap,
    JsonBytes(body, ..): JsonBytes<CatalogSurface>,
) -> Response {
    let outcome = async {
        let addressed = address(&plane, &context, &profile).await?;
        let message: CatalogRequestMessage = wire::parse(&body)?;
        let wanted = wanted(&message, continuation.continuation_token.as_deref())?;
        let page = plane.show_catalog(&addressed, authorization(&headers), &wanted).await?;
        let url = format!("{}/catalog/request", plane.protocol_address(&context, &profile));
        Ok::<_, Refusal>(shown(&page, &url))
    };
    outcome.await.unwrap_or_else(Refusal::catalog)
}

fn wanted(message: &CatalogRequestMessage, token: Option<&str>) -> Result<Wanted, ProtocolError> {
    let position = token.map(ContinuationToken::parse).transpose();
    let position = position.map_err(|invalid| ProtocolError::Refused(invalid.to_string()))?;
    Ok(Wanted { position, filter: Filter::read(&message.filter)? })
}

/// The page, with one `Link` header for each page beside it.
fn shown(page: &CatalogPage, url: &str) -> Response {
    let mut response = reply(StatusCode::OK, &page.catalog);
    for (relation, position) in [(Relation::Next, &page.next), (Relation::Previous, &page.previous)] {
        let Some(position) = position else { continue };
        let link = Link::new(relation, url, &ContinuationToken::new(position)).to_string();
        if let Ok(value) = HeaderValue::from_str(&link) {
            response.headers_mut().append(header::LINK, value);
        }
    }
    response
}

async fn dataset(
    State(plane): Plane,
    Path((context, profile, id), ..): Path<(ParticipantContextId, ProfileName, String), CatalogSurface>,
    headers: HeaderMap,
) -> Response {
    let outcome = async {
        let addressed = address(&plane, &context, &profile).await?;
        Ok::<_, Refusal>(plane.show_dataset(&addressed, authorization(&headers), &id).await?)
    };
    match outcome.await {
        Ok(dataset) => reply(StatusCode::OK, &dataset),
        Err(refusal) => refusal.catalog(),
    }
}
