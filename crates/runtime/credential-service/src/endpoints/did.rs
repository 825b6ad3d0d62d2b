//! DID documents (did:web): any host and any path, looked up in the directory.

use std::sync::Arc;

use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use heddle_did::web;
use heddle_web::{Kind, Plain, Refused, Rejection};

use crate::{CredentialService, participant::DID_DOCUMENT};

/// How long others may keep a document: shorter than they would by themselves, so that a new key is soon known.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=30");

pub(super) async fn document(
    State(service): State<Arc<CredentialService>>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Refused<Plain>> {
    let nothing = || Rejection::new(Kind::NotFound, "There is nothing at this path.");
    if !uri.path().ends_with("/did.json") {
        return Err(nothing().into());
    }
    if method != Method::GET && method != Method::HEAD {
        return Err(Rejection::new(Kind::MethodNotAllowed, "DID documents can only be read.").into());
    }
    let host = host(&uri, &headers).ok_or_else(nothing)?;
    let did = web::did_of(host, uri.path()).map_err(|_| nothing())?;
    let row = service.store.lookup(DID_DOCUMENT, did.as_str()).await?.ok_or_else(nothing)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, CACHE),
    ];
    Ok((StatusCode::OK, headers, row.value).into_response())
}

/// The host with its port, as the client named it: in the URI by HTTP/2, in a header by HTTP/1.1.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let header = || headers.get(header::HOST).and_then(|value| value.to_str().ok());
    uri.authority().map(|authority| authority.as_str()).or_else(header)
}
