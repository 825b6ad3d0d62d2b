//! The HTTP surface of the token service: `/oauth/token`, `/oauth/jwks` and its metadata (RFC 8414).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State, rejection::BytesRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use heddle_jose::JwkSet;
use serde::Serialize;

use crate::{TOKEN_LIFETIME, TokenRefusal, TokenService, token::PUBLISHED_MAX_AGE};

mod address;
mod form;

pub use form::client_form;

/// Where tokens are given.
pub const TOKEN_PATH: &str = "/oauth/token";
/// Where the keys are that tokens are checked with.
pub const JWKS_PATH: &str = "/oauth/jwks";
/// Where the service describes itself.
pub const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";

/// The APIs that tokens are for: the prefixes of scopes.
const APIS: [&str; 8] = [
    "management-api",
    "identity-api",
    "issuer-admin-api",
    "data-plane-api",
    "catalog-api",
    "tenant-manager-api",
    "provision-manager-api",
    "signaling",
];

/// Largest request for a token, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;
/// How long others may keep the keys: see [`crate::ANNOUNCED_FOR`].
const JWKS_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=60");
const _: () = assert!(PUBLISHED_MAX_AGE.as_secs() == 60);
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The routes of a token service. Nobody needs to be authenticated to reach them.
pub fn router(service: Arc<TokenService>) -> Router {
    Router::new()
        .route(TOKEN_PATH, post(token).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)))
        .route(JWKS_PATH, get(jwks))
        .route(METADATA_PATH, get(metadata))
        .with_state(service)
}

/// A token (RFC 6749 §5.1).
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
}

async fn token(
    State(service): State<Arc<TokenService>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, TokenRefusal> {
    if let Some(Extension(ConnectInfo(peer))) = peer {
        service.admit(address::client_address(peer, &headers, &service.policy().trusted_proxies))?;
    }
    let unread = |_| TokenRefusal::InvalidRequest("the body cannot be read, or is larger than 16 KiB");
    let body = body.map_err(unread)?;
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let request = form::token_request(text(CONTENT_TYPE), text(AUTHORIZATION), &body)?;
    let given = service.token(request).await?;
    let body = TokenResponse {
        access_token: given.token,
        token_type: "Bearer",
        expires_in: TOKEN_LIFETIME.as_secs(),
        scope: given.scope,
    };
    Ok((never_stored(), Json(body)).into_response())
}

async fn jwks(
    State(service): State<Arc<TokenService>>,
) -> ([(axum::http::HeaderName, HeaderValue); 1], Json<JwkSet>) {
    ([(CACHE_CONTROL, JWKS_CACHE)], Json(service.jwks().await))
}

/// Authorization server metadata (RFC 8414 §2).
#[derive(Serialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    scopes_supported: Vec<String>,
}

async fn metadata(State(service): State<Arc<TokenService>>) -> Json<Metadata> {
    let issuer = service.settings().issuer.clone();
    Json(Metadata {
        token_endpoint: format!("{issuer}{TOKEN_PATH}"),
        jwks_uri: format!("{issuer}{JWKS_PATH}"),
        issuer,
        response_types_supported: [],
        grant_types_supported: ["client_credentials"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        scopes_supported: scopes_supported(),
    })
}

/// The coarse scopes; each API has finer ones, named after its resources, within them.
fn scopes_supported() -> Vec<String> {
    let scopes =
        APIS.iter().flat_map(|api| ["read", "write", "admin"].map(|action| format!("{api}:{action}")));
    scopes.collect()
}

/// An error of the token endpoint (RFC 6749 §5.2).
#[derive(Serialize)]
struct ErrorResponse {
    error: &'static str,
    error_description: String,
}

impl IntoResponse for TokenRefusal {
    fn into_response(self) -> Response {
        let (status, error) = match &self {
            Self::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::TooManyAttempts { .. } | Self::TooManyRequests { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable")
            }
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        };
        let mut headers = never_stored();
        if self == Self::InvalidClient {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"heddle\""));
        }
        if let Self::TooManyAttempts { retry_after } | Self::TooManyRequests { retry_after, .. } = &self {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds_up(*retry_after)));
        }
        let body = ErrorResponse { error, error_description: self.to_string() };
        (status, headers, Json(body)).into_response()
    }
}

fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// RFC 6749 §5.1.
fn never_stored() -> HeaderMap {
    HeaderMap::from_iter([(CACHE_CONTROL, NO_STORE), (PRAGMA, HeaderValue::from_static("no-cache"))])
}
