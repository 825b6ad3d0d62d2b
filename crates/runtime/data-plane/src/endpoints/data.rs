//! Data: `GET|HEAD /public/{flow}`. A wrong token, no token, a flow that is closed and one that never was are all
//! answered the same.

use std::sync::Arc;

use axum::{Router, body::Body, extract::State, response::Response, routing::get};
use heddle_web::{Kind, Path, Plain, Refused, Rejection, bearer_token};
use http::{HeaderMap, HeaderValue, Method, header};

use crate::{
    DataPlane,
    proxy::{Payload, ProxyError},
    table::Closed,
};

pub(super) fn routes() -> Router<Arc<DataPlane>> {
    // GET serves HEAD, too.
    Router::new().route("/{flow}", get(fetch))
}

async fn fetch(
    State(plane): State<Arc<DataPlane>>,
    Path(flow, ..): Path<String, Plain>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    let token = bearer_token(&headers).map_err(|_| refused())?;
    Ok(respond(plane.fetch(&flow, token, &method).await.map_err(Rejection::from)?))
}

fn refused() -> Rejection {
    Rejection::new(Kind::Unauthorized, "The token does not open this flow.")
}

impl From<ProxyError> for Rejection {
    fn from(error: ProxyError) -> Self {
        let bad_gateway = |what: &str| Self::new(Kind::BadGateway, what);
        match error {
            ProxyError::Closed(Closed::Refused) => refused(),
            ProxyError::Closed(Closed::Store(error)) => error.into(),
            ProxyError::Closed(Closed::NoSource) => {
                bad_gateway("The provider has removed the source of this dataset.")
            }
            ProxyError::Replaced | ProxyError::Source(_) => {
                bad_gateway("The provider's source of this dataset fails; its operator can see why.")
            }
        }
    }
}

fn respond(payload: Payload) -> Response {
    let mut response = Response::new(payload.bytes.map_or_else(Body::empty, Body::from_stream));
    let headers = response.headers_mut();
    *headers = payload.headers;
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    // Whatever a provider uploads, a browser must not run it as a page of ours.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    response
}
