//! Data. A wrong token, no token, a flow that is closed and one that never was are all answered the same.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    response::Response,
    routing::get,
};
use heddle_web::{Kind, Path, Plain, Refused, Rejection, bearer_token};
use http::{HeaderMap, HeaderValue, Method, header};

use crate::{DataPlane, proxy::Payload};

pub(super) fn routes() -> Router<Arc<DataPlane>> {
    // GET serves HEAD too; the body is not read then.
    Router::new().route("/{flow}", get(fetch))
}

async fn fetch(
    State(plane): State<Arc<DataPlane>>,
    Path(flow, ..): Path<String, Plain>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    let closed = || Rejection::new(Kind::Unauthorized, "The token does not open this flow.");
    let token = bearer_token(&headers).map_err(|_| closed())?;
    let opened = plane.table.open(&flow, token).await?.ok_or_else(closed)?;
    let payload = plane.payload(opened).await;
    let payload = payload.map_err(|error| Rejection::new(Kind::BadGateway, error.to_string()))?;
    Ok(respond(payload, &method))
}

fn respond(payload: Payload, method: &Method) -> Response {
    let Payload { media_type, length, etag, bytes } = payload;
    let body = if method == Method::HEAD { Body::empty() } else { Body::from_stream(bytes) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let media_type = media_type.and_then(|text| HeaderValue::try_from(text).ok());
    let fallback = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, media_type.unwrap_or(fallback));
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Some(etag) = etag.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
